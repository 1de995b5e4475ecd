// Runs the x4 network of @upscalerjs/esrgan-thick with TensorFlow.js itself on a small picture and writes the
// picture and the answer as a safetensors file: the golden data of tests/golden/upscaler/.
//
//   cd SOME_SCRATCH_FOLDER && npm install @tensorflow/tfjs@4.11.0
//   node REPOSITORY/tools/verify_upscaler.mjs UNPACKED_PACKAGE/models/x4 esrgan_thick_x4.safetensors
//
// Tensors of the file, all float32: "input" [1, 3, 13, 20] in 0 to 1 and "output" [1, 3, 52, 80], not clipped.

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.cwd(), 'index.js'));
const tf = require('@tensorflow/tfjs');

const HEIGHT = 13;
const WIDTH = 20;

// The two layers that the package defines itself.
class MultiplyBeta extends tf.layers.Layer {
  call(inputs) { return tf.mul(Array.isArray(inputs) ? inputs[0] : inputs, 0.2); }
  static className = 'MultiplyBeta';
}
class PixelShuffle4x extends tf.layers.Layer {
  computeOutputShape(shape) { return [shape[0], shape[1], shape[2], 3]; }
  call(inputs) { return tf.depthToSpace(Array.isArray(inputs) ? inputs[0] : inputs, 4, 'NHWC'); }
  static className = 'PixelShuffle4x';
}

function loadHandler(folder) {
  const model = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
  const shards = model.weightsManifest.flatMap(group => group.paths).map(name => readFileSync(join(folder, name)));
  const bytes = Buffer.concat(shards);
  return {
    load: async () => ({
      modelTopology: model.modelTopology,
      weightSpecs: model.weightsManifest.flatMap(group => group.weights),
      weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
    }),
  };
}

// A soft colour ramp with noise on it: smooth and busy places both, and every pixel inside 0 to 1.
function testPicture() {
  const picture = new Float32Array(HEIGHT * WIDTH * 3);
  let state = 12345;
  for (let y = 0; y < HEIGHT; ++y) {
    for (let x = 0; x < WIDTH; ++x) {
      for (let c = 0; c < 3; ++c) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        const noise = (state >>> 8) / (1 << 24);
        const ramp = 0.5 + 0.4 * Math.sin(0.35 * x + 0.5 * y + 1.7 * c);
        picture[(y * WIDTH + x) * 3 + c] = 0.75 * ramp + 0.25 * noise;
      }
    }
  }
  return picture;
}

function toPlanes(pixels, height, width) {
  const planes = new Float32Array(pixels.length);
  for (let at = 0; at < height * width; ++at) {
    for (let c = 0; c < 3; ++c) planes[c * height * width + at] = pixels[at * 3 + c];
  }
  return planes;
}

function writeSafetensors(path, tensors, metadata) {
  const header = { __metadata__: metadata };
  let at = 0;
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    header[name] = { dtype: 'F32', shape, data_offsets: [at, at + 4 * values.length] };
    at += 4 * values.length;
  }
  let text = JSON.stringify(header);
  text += ' '.repeat((8 - (text.length % 8)) % 8);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  const data = Object.values(tensors).map(({ values }) => Buffer.from(values.buffer));
  writeFileSync(path, Buffer.concat([size, Buffer.from(text), ...data]));
}

const [folder, output] = process.argv.slice(2);
tf.serialization.registerClass(MultiplyBeta);
tf.serialization.registerClass(PixelShuffle4x);
await tf.setBackend('cpu');
const model = await tf.loadLayersModel(loadHandler(folder));
const picture = testPicture();
const answer = model.predict(tf.tensor4d(picture, [1, HEIGHT, WIDTH, 3]));
writeSafetensors(output, {
  input: { shape: [1, 3, HEIGHT, WIDTH], values: toPlanes(picture, HEIGHT, WIDTH) },
  output: { shape: [1, 3, 4 * HEIGHT, 4 * WIDTH], values: toPlanes(await answer.data(), 4 * HEIGHT, 4 * WIDTH) },
}, { made_by: `@tensorflow/tfjs ${tf.version.tfjs}, CPU backend`, model: '@upscalerjs/esrgan-thick 1.0.0 x4' });
console.log(`${output}: ${answer.shape}, from ${answer.min().dataSync()[0]} to ${answer.max().dataSync()[0]}`);
