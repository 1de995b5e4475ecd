// Number sequences exactly as numpy and torch compute them: schedules are compared by their bits.
#pragma once

#include <vector>

namespace maquette::sampling {

std::vector<double> linspace(double start, double stop, int count);   // numpy.linspace, float64
std::vector<float> linspace_f32(float start, float stop, int count);  // torch.linspace, float32
std::vector<double> arange(double start, double stop, double step);   // numpy.arange, float64
// numpy.interp over the points (0, values[0]), (1, values[1]), ...
double interpolate(double x, const std::vector<double>& values);
double round_half_even(double x);

// The quantile function of the beta distribution: the x with I_x(a, b) = probability, to about 1e-14.
double beta_quantile(double probability, double a, double b);

}  // namespace maquette::sampling
