// The coefficients of UniPC, shared by both of its forms.
#pragma once

#include <vector>

namespace maquette::sampling {

struct UniPcRequest {
  std::vector<float>
      ratios;        // r_k = (lambda_k - lambda_0) / h of the earlier points, without the last, which is 1
  float hh = 0;      // -h where the data is predicted, h where the noise is
  bool bh1 = false;  // B(h) = h; otherwise B(h) = e^h - 1
};

struct UniPcWeights {
  float h_phi_1;                 // e^hh - 1
  float b_h;                     // B(hh)
  std::vector<float> predictor;  // one per ratio
  std::vector<float> corrector;  // one per ratio, and one for the new point
};

UniPcWeights unipc_weights(const UniPcRequest& request);

}  // namespace maquette::sampling
