// English: the canvas, comparing, reviewing and textures.
export const enPictures = {} as const;
