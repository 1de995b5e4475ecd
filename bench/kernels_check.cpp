// kernels_check --problems FILE [--type f32|bf16] [--impl NAME] [--class NAME] [--chosen] [--time] [--cpu]
//               [--seconds S] [--threads N]
//
// Runs every implementation that accepts a problem of the list (with --chosen only the one that programs
// use), compares a sample of its outputs with plain sums in double precision, and with --time measures it.
// --cpu counts processor time instead of wall time: with --threads 1, of use on a machine that others share.
// The list holds one problem per line, "times problem", as ConvProblem::text and its like print them. Exit
// code 1 when an implementation is wrong.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fmt/core.h>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <sstream>

#include "kernels/attention.h"
#include "kernels/conv.h"
#include "kernels/matmul.h"

using namespace maquette;
using namespace maquette::kernels;

namespace {

struct Options {
  std::string problems;
  std::string implementation;  // prefix; empty: all
  std::string kind;            // prefix of the problems; empty: all
  std::vector<DType> types{DType::f32, DType::bf16};
  bool chosen = false;  // only the implementation that programs use
  bool time = false;
  bool cpu = false;
  double seconds = 0.3;  // per implementation and problem
};

struct Line {
  int times = 1;
  std::string text;
};

struct Measured {
  double milliseconds = 0;  // best of the repetitions
  double error = 0;         // of the sample, relative to its largest value
};

// Seconds that this process has computed.
double computed() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Tensor noise(const Shape& shape, DType type, uint32_t seed, float scale = 1) {
  Tensor t = Tensor::empty(shape);
  std::minstd_rand generator(seed + 1);
  // The sum of four uniform numbers is normal enough, and quick.
  for (float& value : t.data()) {
    float sum = 0;
    for (int i = 0; i < 4; ++i) sum += static_cast<float>(generator()) / 2147483647.0f - 0.5f;
    value = sum * 1.732f * scale;
  }
  return t.to(type);
}

float at(const Tensor& t, int64_t index) {
  return t.dtype() == DType::bf16 ? static_cast<float>(t.data<bfloat16>()[static_cast<size_t>(index)])
                                  : t.data()[static_cast<size_t>(index)];
}

// One problem made concrete: its inputs, the exact value of one output, and the implementations.
struct Case {
  double flop = 0;
  Tensor out;
  std::function<double(int64_t index)> exact;
  struct Choice {
    std::string name;
    std::function<void()> prepare, run;
  };
  std::vector<Choice> choices;
  std::shared_ptr<void> kept;
};

struct ConvCase {
  ConvProblem p;
  Tensor x, w, bias, residual;
  ConvEpilogue epilogue;
  std::unique_ptr<PackedConv> packed;
  Exec ex;
};

Case make_conv(const ConvProblem& p) {
  auto c = std::make_shared<ConvCase>();
  c->p = p;
  c->x = noise({p.n, p.height, p.width, p.in_channels}, p.type, 1);
  const float scale = 1 / std::sqrt(static_cast<float>(p.in_channels * p.kernel_h * p.kernel_w));
  c->w = noise({p.out_channels, p.in_channels, p.kernel_h, p.kernel_w}, DType::f32, 2, scale);
  c->bias = noise({p.out_channels}, DType::f32, 3);
  const Shape shape{p.n, p.out_height(), p.out_width(), p.out_channels};
  c->residual = noise(shape, p.type, 4);
  c->epilogue = {.bias = &c->bias, .residual = &c->residual};
  Case made{.flop = p.flop(), .out = Tensor::zeros(shape, p.type), .exact = {}, .choices = {}, .kept = c};
  made.exact = [c](int64_t index) {
    const ConvProblem& q = c->p;
    const int64_t o = index % q.out_channels, pixel = index / q.out_channels;
    const int64_t column = pixel % q.out_width(), row = pixel / q.out_width() % q.out_height();
    const int64_t image = pixel / q.out_width() / q.out_height();
    double sum = at(c->bias, o) + at(c->residual, index);
    for (int ky = 0; ky < q.kernel_h; ++ky) {
      for (int kx = 0; kx < q.kernel_w; ++kx) {
        const int64_t y = row * q.geometry.stride + ky - q.geometry.pad_top;
        const int64_t x = column * q.geometry.stride + kx - q.geometry.pad_left;
        if (y < 0 || x < 0 || y >= q.height || x >= q.width) continue;
        for (int64_t i = 0; i < q.in_channels; ++i) {
          sum += static_cast<double>(at(c->x, ((image * q.height + y) * q.width + x) * q.in_channels + i)) *
                 at(c->w, ((o * q.in_channels + i) * q.kernel_h + ky) * q.kernel_w + kx);
        }
      }
    }
    return sum;
  };
  for (const ConvImplementation& implementation : conv_implementations()) {
    if (!implementation.accepts(p)) continue;
    made.choices.push_back(
        {.name = std::string(implementation.name),
         .prepare = [c, &implementation] { c->packed = implementation.pack(c->p, c->w, {}); },
         .run =
             [c, &implementation, out = made.out]() mutable {
               implementation.run(c->ex, c->p, *c->packed, c->x, c->epilogue, out);
             }});
  }
  return made;
}

struct MatmulCase {
  MatmulProblem p;
  Tensor x, w, bias;
  std::unique_ptr<PackedMatmul> packed;
  Exec ex;
};

Case make_matmul(const MatmulProblem& p) {
  auto c = std::make_shared<MatmulCase>();
  c->p = p;
  c->x = noise({p.rows, p.in_features}, p.type, 1);
  c->w =
      noise({p.out_features, p.in_features}, DType::f32, 2, 1 / std::sqrt(static_cast<float>(p.in_features)));
  c->bias = noise({p.out_features}, DType::f32, 3);
  const int64_t columns = p.gated ? p.out_features / 2 : p.out_features;
  Case made{.flop = p.flop(),
            .out = Tensor::zeros({p.rows, columns}, p.type),
            .exact = {},
            .choices = {},
            .kept = c};
  made.exact = [c, columns](int64_t index) {
    const int64_t row = index / columns;
    const auto product = [&](int64_t o) {
      double sum = at(c->bias, o);
      for (int64_t i = 0; i < c->p.in_features; ++i) {
        sum += static_cast<double>(at(c->x, row * c->p.in_features + i)) * at(c->w, o * c->p.in_features + i);
      }
      return sum;
    };
    const double value = product(index % columns);
    if (!c->p.gated) return value;
    const double gate = product(index % columns + columns);
    return value * 0.5 * gate * (1 + std::erf(gate / std::sqrt(2.0)));
  };
  for (const MatmulImplementation& implementation : matmul_implementations()) {
    if (!implementation.accepts(p)) continue;
    made.choices.push_back(
        {.name = std::string(implementation.name),
         .prepare = [c, &implementation] { c->packed = implementation.pack(c->p, c->w, {}); },
         .run =
             [c, &implementation, out = made.out]() mutable {
               implementation.run(c->ex, c->p, *c->packed, c->x, {.bias = &c->bias, .gated = c->p.gated},
                                  out);
             }});
  }
  return made;
}

struct AttentionCase {
  AttentionInput input;
  Tensor q, k, v;
  Exec ex;
};

Case make_attention(AttentionInput input) {
  auto c = std::make_shared<AttentionCase>();
  const int64_t width = input.heads * input.head_size;
  c->q = noise({input.n, input.q_length, width}, input.type, 1, 2);
  c->k = noise({input.n, input.k_length, width}, input.type, 2);
  c->v = noise({input.n, input.k_length, width}, input.type, 3);
  input.q = c->q.raw();
  input.k = c->k.raw();
  input.v = c->v.raw();
  input.q_stride = input.k_stride = input.v_stride = width;
  c->input = input;
  Case made{.flop = 4.0 * static_cast<double>(input.n * input.q_length * input.k_length * width),
            .out = Tensor::zeros({input.n, input.q_length, width}, input.type),
            .exact = {},
            .choices = {},
            .kept = c};
  made.exact = [c, width](int64_t index) {
    const AttentionInput& a = c->input;
    const int64_t token = index / width % a.q_length, image = index / width / a.q_length;
    const int64_t head = index % width / a.head_size * a.head_size;
    double total = 0, sum = 0;
    for (int64_t j = 0; j < a.k_length; ++j) {
      double score = 0;
      for (int64_t i = 0; i < a.head_size; ++i) {
        score += static_cast<double>(at(c->q, (image * a.q_length + token) * width + head + i)) *
                 at(c->k, (image * a.k_length + j) * width + head + i);
      }
      const double weight = std::exp(score / std::sqrt(static_cast<double>(a.head_size)));
      total += weight;
      sum += weight * at(c->v, (image * a.k_length + j) * width + index % width);
    }
    return sum / total;
  };
  for (const AttentionImplementation& implementation : attention_implementations()) {
    if (!implementation.accepts(input)) continue;
    made.choices.push_back({.name = std::string(implementation.name),
                            .prepare = [] {},
                            .run = [c, &implementation,
                                    out = made.out]() mutable { implementation.run(c->ex, c->input, out); }});
  }
  return made;
}

Case parse(const std::string& text, DType type) {
  long n = 0, h = 0, w = 0, i = 0, o = 0, d = 0;
  int kernel = 0, kernel_w = 0, stride = 1;
  if (std::sscanf(text.c_str(), "conv%dx%d %ldx%ldx%ldx%ld->%ld", &kernel, &kernel_w, &n, &h, &w, &i, &o) ==
          7 ||
      std::sscanf(text.c_str(), "conv%dx%d/%d %ldx%ldx%ldx%ld->%ld", &kernel, &kernel_w, &stride, &n, &h, &w,
                  &i, &o) == 8) {
    return make_conv({.n = n,
                      .height = h,
                      .width = w,
                      .in_channels = i,
                      .out_channels = o,
                      .kernel_h = kernel,
                      .kernel_w = kernel_w,
                      .geometry = ConvGeometry::same(kernel, stride),
                      .type = type});
  }
  if (std::sscanf(text.c_str(), "matmul %ldx%ld->%ld", &n, &i, &o) == 3) {
    return make_matmul({.rows = n,
                        .in_features = i,
                        .out_features = o,
                        .type = type,
                        .gated = text.find("gated") != std::string::npos});
  }
  if (std::sscanf(text.c_str(), "attention %ldx%ldx%ld heads %ldx%ld", &n, &h, &w, &i, &d) == 5) {
    return make_attention(
        {.n = n, .q_length = h, .k_length = w, .heads = i, .head_size = d, .type = type, .bias = {}});
  }
  throw Error(ErrorCode::usage, "cannot read the problem \"{}\"", text);
}

double sample_error(const Case& c) {
  std::minstd_rand generator(7);
  double worst = 0, largest = 0;
  for (int i = 0; i < 300; ++i) {
    const auto index = static_cast<int64_t>(generator()) * 2147483647 % c.out.elements();
    const double exact = c.exact(std::abs(index));
    worst = std::max(worst, std::abs(exact - at(c.out, std::abs(index))));
    largest = std::max(largest, std::abs(exact));
  }
  return worst / largest;
}

Measured measure(const Options& options, Case& c, const Case::Choice& choice) {
  choice.prepare();
  std::memset(c.out.raw(), 0, c.out.bytes());
  choice.run();
  Measured m{.error = sample_error(c)};
  if (!options.time) return m;
  double best = 1e9;
  const double end = now() + options.seconds;
  for (int i = 0; i < 3 || now() < end; ++i) {
    const double begin = options.cpu ? computed() : now();
    choice.run();
    best = std::min(best, (options.cpu ? computed() : now()) - begin);
    if (best > 3 * options.seconds) break;
  }
  m.milliseconds = best * 1e3;
  return m;
}

double allowed(DType type, const std::string& implementation) {
  const bool winograd = implementation.find("winograd") != std::string::npos;
  if (type == DType::f32) return winograd ? 1e-5 : 5e-6;
  return winograd ? 5e-2 : 2e-2;
}

std::vector<Line> read_lines(const std::string& file) {
  std::ifstream in(file);
  if (!in) throw Error(ErrorCode::usage, "cannot read {}", file);
  std::vector<Line> lines;
  for (std::string text; std::getline(in, text);) {
    if (text.empty() || text[0] == '#') continue;
    std::istringstream parts(text);
    Line line;
    parts >> line.times >> std::ws;
    std::getline(parts, line.text);
    lines.push_back(line);
  }
  return lines;
}

Options read_options(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string name = arguments[i];
    const auto value = [&]() -> std::string {
      if (++i >= count) throw Error(ErrorCode::usage, "{} needs a value", name);
      return arguments[i];
    };
    if (name == "--problems") {
      options.problems = value();
    } else if (name == "--impl") {
      options.implementation = value();
    } else if (name == "--class") {
      options.kind = value();
    } else if (name == "--type") {
      options.types = {value() == "f32" ? DType::f32 : DType::bf16};
    } else if (name == "--chosen") {
      options.chosen = true;
    } else if (name == "--time") {
      options.time = true;
    } else if (name == "--cpu") {
      options.cpu = true;
    } else if (name == "--seconds") {
      options.seconds = std::stod(value());
    } else if (name == "--threads") {
      set_thread_count(std::stoi(value()));
    } else {
      throw Error(ErrorCode::usage, "unknown argument {}", name);
    }
  }
  if (options.problems.empty()) throw Error(ErrorCode::usage, "which problems? --problems FILE");
  return options;
}

struct Total {
  double milliseconds = 0, flop = 0;
};

// Returns whether every implementation is right.
bool check_type(const Options& options, const std::vector<Line>& lines, DType type) {
  bool right = true;
  std::map<std::string, Total> by_class;
  for (const Line& line : lines) {
    if (!options.kind.empty() && line.text.rfind(options.kind, 0) != 0) continue;
    Case c = parse(line.text, type);
    fmt::print("{:3} {:44} {:5}", line.times, line.text, name(type));
    double chosen = 0;
    for (const Case::Choice& choice : c.choices) {
      if (choice.name == "reference") continue;
      if (!options.implementation.empty() && choice.name.rfind(options.implementation, 0) != 0) continue;
      const Measured m = measure(options, c, choice);
      const bool ok = m.error <= allowed(type, choice.name);
      right = right && ok;
      fmt::print("  {} {:.1e}{}", choice.name, m.error, ok ? "" : " WRONG");
      if (options.time) fmt::print(" {:.2f} ms {:.0f} GF/s", m.milliseconds, c.flop / m.milliseconds / 1e6);
      if (chosen == 0) chosen = m.milliseconds;
      if (options.chosen) break;
    }
    fmt::print("\n");
    std::fflush(stdout);
    Total& total = by_class[line.text.substr(0, line.text.find(' '))];
    total.milliseconds += chosen * line.times;
    total.flop += c.flop * line.times;
  }
  if (!options.time) return right;
  Total all;
  for (const auto& [kind, total] : by_class) {
    fmt::print("{:12} {} {:8.1f} ms {:7.0f} GF/s\n", kind, name(type), total.milliseconds,
               total.flop / total.milliseconds / 1e6);
    all.milliseconds += total.milliseconds;
    all.flop += total.flop;
  }
  fmt::print("{:12} {} {:8.1f} ms {:7.0f} GF/s\n", "together", name(type), all.milliseconds,
             all.flop / all.milliseconds / 1e6);
  return right;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    const Options options = read_options(count, arguments);
    const std::vector<Line> lines = read_lines(options.problems);
    bool right = true;
    for (const DType type : options.types) right = check_type(options, lines, type) && right;
    return right ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 2;
  }
}
