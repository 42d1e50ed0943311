// What the groups of the native host share: the per-environment state, the registered memory regions and the argument helpers.
//
// Two styles live here on purpose. Control calls (open, configure, close) are written with node-addon-api and may throw a
// TypeError for a malformed argument. Data calls (clock, batches of frames, kicks, locks) are written in C Node-API: they take
// plain numbers, never throw, and answer a count or a negative Linux errno.
#ifndef RUMPUSER_H
#define RUMPUSER_H

#include <cerrno>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <napi.h>
#include <uv.h>

namespace rumpuser {

// Goes up whenever a call is added, removed or changed; ADDON_INTERFACE in hypercall/native/addon.ts is the same number.
const int INTERFACE_VERSION = 1;

struct Watcher;
struct TapRing;

// A registered piece of JavaScript memory: the slab, or a control block. The reference keeps the ArrayBuffer alive, because a raw
// pointer dies as soon as JavaScript drops its last view.
struct Region {
  uint8_t* base = nullptr;
  size_t size = 0;
  napi_ref ref = nullptr;
  uint32_t busy = 0;  // block I/O in flight on the thread pool
};

// One per Node environment (the main thread and each worker has its own).
struct State {
  napi_env env = nullptr;
  uv_loop_t* loop = nullptr;
  napi_async_context ctx = nullptr;  // of every callback into JavaScript
  std::vector<Region> regions;
  std::vector<Watcher*> watchers;
  std::set<int> fds;  // opened here and not yet closed; a worker that is terminated must not leave them behind
  std::vector<TapRing*> rings;
  uint32_t live = 0;  // uv handles whose close callback has not run yet
  bool finalized = false;
  napi_async_cleanup_hook_handle cleanup = nullptr;
};

// The bytes [off, off + len) of region `h`, or nullptr when any part lies outside.
inline uint8_t* region_at(State* st, uint32_t h, uint32_t off, uint32_t len) {
  if (h >= st->regions.size()) return nullptr;
  Region& r = st->regions[h];
  if (r.base == nullptr || off > r.size || len > r.size - off) return nullptr;
  return r.base + off;
}

// A whole region seen as 32-bit words: a control block.
struct Words {
  int32_t* w = nullptr;
  uint32_t n = 0;
};

inline Words region_words(State* st, uint32_t h) {
  if (h >= st->regions.size() || st->regions[h].base == nullptr) return {};
  Region& r = st->regions[h];
  return {reinterpret_cast<int32_t*>(r.base), static_cast<uint32_t>(r.size / sizeof(int32_t))};
}

// The arguments of a data call. `ok` turns false when one is missing or not a number.
template <size_t N>
struct Args {
  napi_env env;
  napi_value v[N > 0 ? N : 1];
  State* st = nullptr;
  bool ok = true;

  Args(napi_env e, napi_callback_info info) : env(e) {
    size_t argc = N;
    void* data = nullptr;
    ok = napi_get_cb_info(e, info, &argc, v, nullptr, &data) == napi_ok && argc >= N;
    st = static_cast<State*>(data);
  }
  int32_t i32(size_t i) {
    int32_t r = 0;
    if (ok && napi_get_value_int32(env, v[i], &r) != napi_ok) ok = false;
    return r;
  }
  uint32_t u32(size_t i) {
    uint32_t r = 0;
    if (ok && napi_get_value_uint32(env, v[i], &r) != napi_ok) ok = false;
    return r;
  }
  int64_t i64(size_t i) {
    int64_t r = 0;
    if (ok && napi_get_value_int64(env, v[i], &r) != napi_ok) ok = false;
    return r;
  }
  double f64(size_t i) {
    double r = 0;
    if (ok && napi_get_value_double(env, v[i], &r) != napi_ok) ok = false;
    return r;
  }
};

inline napi_value ret_i32(napi_env env, int32_t value) {
  napi_value r = nullptr;
  napi_create_int32(env, value, &r);
  return r;
}

inline napi_value ret_f64(napi_env env, double value) {
  napi_value r = nullptr;
  napi_create_double(env, value, &r);
  return r;
}

// Calls a JavaScript callback from the event loop: microtasks run afterwards, and an exception that escapes becomes the
// process's uncaughtException instead of being lost.
void call_js(napi_env env, napi_async_context ctx, napi_ref callback, size_t argc, const napi_value* argv);

// Remembers a descriptor that this environment owns; fd_close forgets it.
inline int own_fd(State* st, int fd) {
  if (fd >= 0) st->fds.insert(fd);
  return fd;
}

// Adds a data call (C Node-API) or a control call (node-addon-api) to the exports.
void export_raw(napi_env env, napi_value exports, State* st, const char* name, napi_callback fn);
using ControlFn = Napi::Value (*)(const Napi::CallbackInfo&);
void export_control(Napi::Env env, Napi::Object exports, State* st, const char* name, ControlFn fn);

inline State* state_of(const Napi::CallbackInfo& info) { return static_cast<State*>(info.Data()); }

// Argument checks of the control calls: false, with a TypeError pending, when the argument is not of that type.
bool want_string(const Napi::CallbackInfo& info, size_t i, const char* what, std::string* out);
bool want_int(const Napi::CallbackInfo& info, size_t i, const char* what, int64_t* out);
bool want_function(const Napi::CallbackInfo& info, size_t i, const char* what);

// Each group adds its calls.
void slab_exports(Napi::Env env, Napi::Object exports, State* st);
void clock_exports(Napi::Env env, Napi::Object exports, State* st);
void watch_exports(Napi::Env env, Napi::Object exports, State* st);
void tap_exports(Napi::Env env, Napi::Object exports, State* st);
void tap_io_exports(Napi::Env env, Napi::Object exports, State* st);
void tap_ring_exports(Napi::Env env, Napi::Object exports, State* st);
void hostif_exports(Napi::Env env, Napi::Object exports, State* st);
void file_exports(Napi::Env env, Napi::Object exports, State* st);
void iov_exports(Napi::Env env, Napi::Object exports, State* st);
void bio_exports(Napi::Env env, Napi::Object exports, State* st);
void kick_exports(Napi::Env env, Napi::Object exports, State* st);
void lock_exports(Napi::Env env, Napi::Object exports, State* st);
void process_exports(Napi::Env env, Napi::Object exports, State* st);

void tap_ring_free(TapRing* ring);

// Closes every watcher of a dying environment; `watch_closed` runs as the last one is gone.
void watch_close_all(State* st);
void watch_closed(State* st);

}  // namespace rumpuser

#endif
