#include "production/accounts_models.h"

namespace maquette::production {

namespace {

// Stands for a role that may use no model: no model is called so.
constexpr std::string_view kNone;

}  // namespace

ModelLimits model_limits(db::Connection& c, const std::string& show_id) {
  ModelLimits limits;
  for (const db::Row& row :
       c.query("SELECT role, model FROM model_limits WHERE show_id = :show", {{"show", show_id}})) {
    std::set<std::string>& models = limits[role_named(row.text("role"))];
    if (row.text("model") != kNone) models.insert(row.text("model"));
  }
  return limits;
}

namespace {

Json document_of(const ModelLimits& limits) {
  Json document = Json::object();
  for (const auto& [role, models] : limits) document[std::string(name(role))] = models;
  return document;
}

}  // namespace

void set_model_limits(const Change& change, const std::string& show_id, const ModelLimits& limits) {
  const ModelLimits before = model_limits(*change, show_id);
  change->execute("DELETE FROM model_limits WHERE show_id = :show", {{"show", show_id}});
  const auto insert = [&](Role role, std::string model) {
    change->insert("model_limits",
                   {{"show_id", show_id}, {"role", std::string(name(role))}, {"model", std::move(model)}});
  };
  for (const auto& [role, models] : limits) {
    if (models.empty()) insert(role, std::string(kNone));
    for (const std::string& model : models) insert(role, model);
  }
  change.log({.action = "model:limit",
              .subject_kind = "show",
              .subject_id = show_id,
              .show_id = show_id,
              .before = document_of(before),
              .after = document_of(limits)});
}

bool may_use_model(const ModelLimits& limits, const Caller& caller, std::string_view show_id,
                   const std::string& model) {
  for (const auto& [show, roles] : caller.roles) {
    if (!show.empty() && show != show_id) continue;
    for (const Role role : roles) {
      if (!may(role, Action::take_generate)) continue;
      const auto limit = limits.find(role);
      if (limit == limits.end() || limit->second.contains(model)) return true;
    }
  }
  return false;
}

}  // namespace maquette::production
