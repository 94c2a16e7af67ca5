// better-sqlite3 keeps references to strings and numbers, which Node-API allows from version 10 on.
// On a runtime with version 9 this header, included before every source, stores such a primitive in a
// property of an object and references that object. Development only: no installer carries it.
#ifndef FISAO_NAPI9_REFERENCES_H
#define FISAO_NAPI9_REFERENCES_H

#include <node_api.h>

#include <mutex>
#include <unordered_set>

namespace fisao {

inline std::mutex boxed_mutex;
inline std::unordered_set<napi_ref> boxed;  // references whose object holds a primitive

inline bool is_boxed(napi_ref ref) {
  std::lock_guard<std::mutex> lock(boxed_mutex);
  return boxed.count(ref) != 0;
}

inline napi_status create_reference(napi_env env, napi_value value, uint32_t count, napi_ref* result) {
  napi_valuetype type;
  napi_status status = napi_typeof(env, value, &type);
  if (status != napi_ok) return status;
  if (type == napi_object || type == napi_function || type == napi_symbol || type == napi_external) {
    return napi_create_reference(env, value, count, result);
  }
  napi_value box;
  if ((status = napi_create_object(env, &box)) != napi_ok) return status;
  if ((status = napi_set_named_property(env, box, "value", value)) != napi_ok) return status;
  if ((status = napi_create_reference(env, box, count, result)) != napi_ok) return status;
  std::lock_guard<std::mutex> lock(boxed_mutex);
  boxed.insert(*result);
  return napi_ok;
}

inline napi_status get_reference_value(napi_env env, napi_ref ref, napi_value* result) {
  napi_status status = napi_get_reference_value(env, ref, result);
  if (status != napi_ok || *result == nullptr || !is_boxed(ref)) return status;
  return napi_get_named_property(env, *result, "value", result);
}

inline napi_status delete_reference(node_api_basic_env env, napi_ref ref) {
  {
    std::lock_guard<std::mutex> lock(boxed_mutex);
    boxed.erase(ref);
  }
  return napi_delete_reference(env, ref);
}

}  // namespace fisao

#define napi_create_reference fisao::create_reference
#define napi_get_reference_value fisao::get_reference_value
#define napi_delete_reference fisao::delete_reference

#endif
