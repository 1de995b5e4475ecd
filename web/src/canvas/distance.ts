// Exact Euclidean distance of every pixel to the nearest marked one.
//
// Felzenszwalb and Huttenlocher, "Distance transforms of sampled functions" (2012): the squared distance is the lower
// envelope of one parabola a sample, first along columns, then along rows; both passes are linear in the pixels.
const kFar = 1e20;

function envelope(values: Float64Array, length: number, out: Float64Array, feet: Int32Array, ends: Float64Array): void {
  let last = 0;
  feet[0] = 0;
  ends[0] = -Infinity;
  ends[1] = Infinity;
  // Each parabola cuts off what lies above it of the envelope so far.
  for (let q = 1; q < length; q += 1) {
    let cut: number;
    for (;;) {
      const foot = feet[last]!;
      cut = (values[q]! + q * q - (values[foot]! + foot * foot)) / (2 * q - 2 * foot);
      if (cut > ends[last]! || last === 0) break;
      last -= 1;
    }
    if (cut <= ends[last]!) cut = -Infinity;
    else last += 1;
    feet[last] = q;
    ends[last] = cut;
    ends[last + 1] = Infinity;
  }
  // The envelope is read off from left to right.
  let at = 0;
  for (let q = 0; q < length; q += 1) {
    while (ends[at + 1]! < q) at += 1;
    const foot = feet[at]!;
    out[q] = (q - foot) * (q - foot) + values[foot]!;
  }
}

/** Squared distances [height * width] to pixels where `bits` equals `target`; kFar and more where there is none. */
export function squaredDistances(bits: Uint8Array, width: number, height: number, target: 0 | 1): Float64Array {
  const result = new Float64Array(width * height);
  for (let i = 0; i < result.length; i += 1) result[i] = (bits[i] ? 1 : 0) === target ? 0 : kFar;
  const longest = Math.max(width, height);
  const line = new Float64Array(longest);
  const out = new Float64Array(longest);
  const feet = new Int32Array(longest);
  const ends = new Float64Array(longest + 1);
  for (let x = 0; x < width; x += 1) {
    for (let y = 0; y < height; y += 1) line[y] = result[y * width + x]!;
    envelope(line, height, out, feet, ends);
    for (let y = 0; y < height; y += 1) result[y * width + x] = out[y]!;
  }
  for (let y = 0; y < height; y += 1) {
    line.set(result.subarray(y * width, (y + 1) * width));
    envelope(line, width, out, feet, ends);
    result.set(out.subarray(0, width), y * width);
  }
  return result;
}
