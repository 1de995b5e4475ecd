// The commands that make pictures of pictures: upscale, preprocess.
#include <memory>

#include "app/picture_tools.h"
#include "cli/commands.h"
#include "cli/output.h"

namespace maquette::cli {

std::function<void()> upscale(CLI::App& app) {
  struct Arguments {
    std::string picture, model, out, tile;
  };
  auto a = std::make_shared<Arguments>();
  add_json_flag(app);
  app.add_option("PICTURE", a->picture, "what to enlarge")->required();
  app.add_option("--model", a->model, "upscaling network (ESRGAN family)")->required();
  app.add_option("--out", a->out, "file to write")->required();
  app.add_option("--tile", a->tile, "the picture is a seamless texture: x, y or xy")
      ->check(CLI::IsMember({"x", "y", "xy"}));
  return [a] {
    app::upscale_picture({.picture = a->picture,
                          .model = a->model,
                          .out = a->out,
                          .tile_x = a->tile.find('x') != std::string::npos,
                          .tile_y = a->tile.find('y') != std::string::npos});
    if (json_output())
      print_json({{"file", a->out}});
    else
      print_line(a->out);
  };
}

std::function<void()> preprocess(CLI::App& app) {
  struct Arguments {
    std::string kind, picture, out;
  };
  auto a = std::make_shared<Arguments>();
  add_json_flag(app);
  app.add_option("KIND", a->kind, "canny, lineart, scribble or invert")->required();
  app.add_option("PICTURE", a->picture, "what to start from")->required();
  app.add_option("--out", a->out, "file to write")->required();
  return [a] {
    app::preprocess_picture(a->kind, a->picture, a->out);
    if (json_output())
      print_json({{"file", a->out}});
    else
      print_line(a->out);
  };
}

}  // namespace maquette::cli
