// Module entry: one State per environment, so that the addon works in workers, and a clean end of each environment.
#include <unistd.h>

#include "rumpuser.h"

namespace rumpuser {

void call_js(napi_env env, napi_async_context ctx, napi_ref callback, size_t argc, const napi_value* argv) {
  napi_value fn = nullptr;
  napi_value recv = nullptr;
  napi_value result = nullptr;
  if (napi_get_reference_value(env, callback, &fn) != napi_ok || fn == nullptr) return;
  if (napi_get_global(env, &recv) != napi_ok) return;
  if (napi_make_callback(env, ctx, recv, fn, argc, argv, &result) != napi_pending_exception) return;
  napi_value error = nullptr;
  if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
}

void export_raw(napi_env env, napi_value exports, State* st, const char* name, napi_callback fn) {
  napi_property_descriptor d = {name, nullptr, fn, nullptr, nullptr, nullptr, napi_enumerable, st};
  napi_define_properties(env, exports, 1, &d);
}

void export_control(Napi::Env env, Napi::Object exports, State* st, const char* name, ControlFn fn) {
  exports.Set(name, Napi::Function::New(env, fn, name, st));
}

static void type_error(const Napi::CallbackInfo& info, const char* what, const char* type) {
  Napi::TypeError::New(info.Env(), std::string(what) + " must be " + type).ThrowAsJavaScriptException();
}

bool want_string(const Napi::CallbackInfo& info, size_t i, const char* what, std::string* out) {
  if (i >= info.Length() || !info[i].IsString()) {
    type_error(info, what, "a string");
    return false;
  }
  *out = info[i].As<Napi::String>().Utf8Value();
  return true;
}

bool want_int(const Napi::CallbackInfo& info, size_t i, const char* what, int64_t* out) {
  if (i >= info.Length() || !info[i].IsNumber()) {
    type_error(info, what, "a number");
    return false;
  }
  *out = info[i].As<Napi::Number>().Int64Value();
  return true;
}

bool want_function(const Napi::CallbackInfo& info, size_t i, const char* what) {
  if (i < info.Length() && info[i].IsFunction()) return true;
  type_error(info, what, "a function");
  return false;
}

static void state_free_if_done(State* st) {
  if (st->finalized && st->live == 0) delete st;
}

// Instance data goes last; a watcher whose close callback is still outstanding keeps the state a little longer.
static void state_finalize(napi_env, void* data, void*) {
  State* st = static_cast<State*>(data);
  st->finalized = true;
  state_free_if_done(st);
}

// A worker that ends with an open uv handle would abort the process, so every watcher is closed before the loop goes away.
static void env_cleanup(napi_async_cleanup_hook_handle handle, void* data) {
  State* st = static_cast<State*>(data);
  st->cleanup = handle;
  for (Region& r : st->regions) {
    if (r.ref != nullptr) napi_delete_reference(st->env, r.ref);
    r = Region();
  }
  watch_close_all(st);
  napi_async_destroy(st->env, st->ctx);
  for (TapRing* ring : st->rings) tap_ring_free(ring);
  st->rings.clear();
  for (const int fd : st->fds) close(fd);
  st->fds.clear();
  if (st->live == 0) watch_closed(st);
}

void watch_closed(State* st) {
  if (st->cleanup != nullptr) {
    napi_async_cleanup_hook_handle handle = st->cleanup;
    st->cleanup = nullptr;
    napi_remove_async_cleanup_hook(handle);
  }
  state_free_if_done(st);
}

static Napi::Object init(Napi::Env env, Napi::Object exports) {
  State* st = new State();
  st->env = env;
  napi_get_uv_event_loop(env, &st->loop);
  napi_async_init(env, nullptr, Napi::String::New(env, "rumpuser"), &st->ctx);
  napi_set_instance_data(env, st, state_finalize, nullptr);
  napi_add_async_cleanup_hook(env, env_cleanup, st, nullptr);
  slab_exports(env, exports, st);
  clock_exports(env, exports, st);
  watch_exports(env, exports, st);
  tap_exports(env, exports, st);
  tap_io_exports(env, exports, st);
  tap_ring_exports(env, exports, st);
  hostif_exports(env, exports, st);
  file_exports(env, exports, st);
  iov_exports(env, exports, st);
  bio_exports(env, exports, st);
  kick_exports(env, exports, st);
  lock_exports(env, exports, st);
  process_exports(env, exports, st);
  exports.Set("interface_version", Napi::Number::New(env, INTERFACE_VERSION));
  return exports;
}

}  // namespace rumpuser

static Napi::Object module_init(Napi::Env env, Napi::Object exports) { return rumpuser::init(env, exports); }

NODE_API_MODULE(rumpuser, module_init)
