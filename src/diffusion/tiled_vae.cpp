// Each tile is decoded on its own and added to the sum with weights that fall linearly over the overlaps; the
// sum of weights divides at the end. Group norms see one tile instead of the whole picture, which shifts
// tones a little from tile to tile: the fades hide it.
#include "diffusion/tiled_vae.h"

#include "diffusion/tiles.h"

namespace maquette::diffusion {

Tensor decode_tiled(kernels::Exec& ex, const models::Vae& vae, const Tensor& latent,
                    const TileOptions& options) {
  const auto rows = plan_tiles(latent.size(2), options.tile, options.overlap, ex.wrap.y);
  const auto columns = plan_tiles(latent.size(3), options.tile, options.overlap, ex.wrap.x);
  const int total = static_cast<int>(rows.size() * columns.size());
  if (total == 1) return vae.decode(ex, latent);

  const TileWrap wrap(ex, columns.size() == 1, rows.size() == 1);
  const int64_t f = vae.factor();
  TileCanvas canvas({latent.size(0), 3, latent.size(2) * f, latent.size(3) * f});
  int done = 0;
  for (const TileSpan& row : rows) {
    for (const TileSpan& column : columns) {
      canvas.add(vae.decode(ex, cut_tile(latent, row, column)), scaled(row, f, 1), scaled(column, f, 1));
      if (options.progress) options.progress(++done, total);
    }
  }
  return canvas.finish();
}

models::Moments encode_tiled(kernels::Exec& ex, const models::Vae& vae, const Tensor& picture,
                             const TileOptions& options) {
  const int64_t f = vae.factor();
  const auto rows = plan_tiles(picture.size(2) / f, options.tile, options.overlap, ex.wrap.y);
  const auto columns = plan_tiles(picture.size(3) / f, options.tile, options.overlap, ex.wrap.x);
  if (rows.size() * columns.size() == 1) return vae.encode(ex, picture);

  const TileWrap wrap(ex, columns.size() == 1, rows.size() == 1);
  const Shape shape{picture.size(0), vae.latent_channels(), picture.size(2) / f, picture.size(3) / f};
  TileCanvas mean(shape);
  TileCanvas log_variance(shape);
  for (const TileSpan& row : rows) {
    for (const TileSpan& column : columns) {
      const models::Moments part = vae.encode(ex, cut_tile(picture, scaled(row, f, 1), scaled(column, f, 1)));
      mean.add(part.mean, row, column);
      log_variance.add(part.log_variance, row, column);
    }
  }
  return {.mean = mean.finish(), .log_variance = log_variance.finish()};
}

}  // namespace maquette::diffusion
