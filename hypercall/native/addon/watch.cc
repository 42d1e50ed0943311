// Readiness: descriptors watched by the event loop, and the one timer descriptor of a host.
//
// A watcher is a uv_poll_t with a JavaScript callback. Four kinds differ in what is done before the callback: PLAIN nothing, TIMER
// reads the expiration count, DRAIN swallows the datagrams of a socket, PIPE the bytes of a kick pipe. uv_poll is level-triggered, so a PLAIN
// callback must consume what made the descriptor ready or stop the watcher.
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cmath>

#include "rumpuser.h"

namespace rumpuser {

enum WatchKind { WATCH_PLAIN = 0, WATCH_TIMER = 1, WATCH_DRAIN = 2, WATCH_PIPE = 3 };

static const unsigned DRAIN_BATCH = 16;

struct Watcher {
  uv_poll_t poll;
  State* st;
  napi_ref callback;
  int fd;
  WatchKind kind;
};

static void drain(int fd) {
  char bytes[DRAIN_BATCH];
  struct iovec iov[DRAIN_BATCH];
  struct mmsghdr msg[DRAIN_BATCH] = {};
  for (unsigned i = 0; i < DRAIN_BATCH; i++) {
    iov[i] = {&bytes[i], 1};
    msg[i].msg_hdr.msg_iov = &iov[i];
    msg[i].msg_hdr.msg_iovlen = 1;
  }
  while (recvmmsg(fd, msg, DRAIN_BATCH, MSG_DONTWAIT, nullptr) == static_cast<int>(DRAIN_BATCH)) {
  }
}

// Tells the callback UV_READABLE / UV_WRITABLE / UV_DISCONNECT bits, a negative errno, or for a timer the expiration count.
static void on_ready(uv_poll_t* poll, int status, int events) {
  Watcher* w = static_cast<Watcher*>(poll->data);
  int32_t value = status < 0 ? status : events;
  if (status >= 0 && w->kind == WATCH_TIMER) {
    uint64_t expirations = 0;
    if (read(w->fd, &expirations, sizeof expirations) != static_cast<ssize_t>(sizeof expirations)) return;
    value = expirations > INT32_MAX ? INT32_MAX : static_cast<int32_t>(expirations);
  } else if (status >= 0 && w->kind == WATCH_DRAIN) {
    drain(w->fd);
  } else if (status >= 0 && w->kind == WATCH_PIPE) {
    char bytes[256];
    if (read(w->fd, bytes, sizeof bytes) == 0) value = -EPIPE;
  }
  napi_env env = w->st->env;
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  napi_value arg = ret_i32(env, value);
  call_js(env, w->st->ctx, w->callback, 1, &arg);
  napi_close_handle_scope(env, scope);
}

static void on_closed(uv_handle_t* handle) {
  Watcher* w = static_cast<Watcher*>(handle->data);
  State* st = w->st;
  delete w;
  st->live--;
  if (st->live == 0) watch_closed(st);
}

static void watch_close(State* st, uint32_t h) {
  Watcher* w = st->watchers[h];
  st->watchers[h] = nullptr;
  napi_delete_reference(st->env, w->callback);
  uv_close(reinterpret_cast<uv_handle_t*>(&w->poll), on_closed);
  if (w->kind == WATCH_TIMER) close(w->fd);
}

void watch_close_all(State* st) {
  for (uint32_t i = 0; i < st->watchers.size(); i++) {
    if (st->watchers[i] != nullptr) watch_close(st, i);
  }
}

static int watch_open(const Napi::CallbackInfo& info, int fd, Napi::Function callback, WatchKind kind) {
  State* st = state_of(info);
  napi_env env = info.Env();
  Watcher* w = new Watcher();
  w->st = st;
  w->fd = fd;
  w->kind = kind;
  w->poll.data = w;
  const int rc = uv_poll_init(st->loop, &w->poll, fd);
  if (rc != 0) {
    delete w;
    return rc;
  }
  st->live++;
  napi_create_reference(env, callback, 1, &w->callback);
  for (uint32_t i = 0; i < st->watchers.size(); i++) {
    if (st->watchers[i] != nullptr) continue;
    st->watchers[i] = w;
    return static_cast<int>(i);
  }
  st->watchers.push_back(w);
  return static_cast<int>(st->watchers.size() - 1);
}

static Watcher* watch_get(State* st, uint32_t h) { return h < st->watchers.size() ? st->watchers[h] : nullptr; }

// poll_open(fd, callback(events), drain) -> handle, not yet started.
static Napi::Value poll_open(const Napi::CallbackInfo& info) {
  int64_t fd = 0;
  if (!want_int(info, 0, "fd", &fd) || !want_function(info, 1, "callback")) return info.Env().Undefined();
  const bool drains = info.Length() > 2 && info[2].ToBoolean().Value();
  const int h = watch_open(info, static_cast<int>(fd), info[1].As<Napi::Function>(), drains ? WATCH_DRAIN : WATCH_PLAIN);
  return Napi::Number::New(info.Env(), h);
}

// pipe_open(fd, callback(events)) -> handle, not yet started. The callback gets -EPIPE when every writer has closed.
static Napi::Value pipe_open(const Napi::CallbackInfo& info) {
  int64_t fd = 0;
  if (!want_int(info, 0, "fd", &fd) || !want_function(info, 1, "callback")) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), watch_open(info, static_cast<int>(fd), info[1].As<Napi::Function>(), WATCH_PIPE));
}

// timer_open(callback(expirations)) -> handle. It starts unreferenced: only watch_ref makes it keep the process alive.
static Napi::Value timer_open(const Napi::CallbackInfo& info) {
  if (!want_function(info, 0, "callback")) return info.Env().Undefined();
  const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd < 0) return Napi::Number::New(info.Env(), -errno);
  const int h = watch_open(info, fd, info[0].As<Napi::Function>(), WATCH_TIMER);
  if (h < 0) {
    close(fd);
    return Napi::Number::New(info.Env(), h);
  }
  Watcher* w = watch_get(state_of(info), static_cast<uint32_t>(h));
  uv_unref(reinterpret_cast<uv_handle_t*>(&w->poll));
  uv_poll_start(&w->poll, UV_READABLE, on_ready);
  return Napi::Number::New(info.Env(), h);
}

// poll_start(h, events): 1 readable, 2 writable, 4 disconnect. poll_start again changes the set.
static napi_value poll_start(napi_env env, napi_callback_info info) {
  Args<2> a(env, info);
  const uint32_t h = a.u32(0);
  const int events = a.i32(1);
  Watcher* w = a.ok ? watch_get(a.st, h) : nullptr;
  if (w == nullptr || w->kind == WATCH_TIMER) return ret_i32(env, -EBADF);
  if (events <= 0 || (events & ~(UV_READABLE | UV_WRITABLE | UV_DISCONNECT)) != 0) return ret_i32(env, -EINVAL);
  return ret_i32(env, uv_poll_start(&w->poll, events, on_ready));
}

static napi_value poll_stop(napi_env env, napi_callback_info info) {
  Args<1> a(env, info);
  const uint32_t h = a.u32(0);
  Watcher* w = a.ok ? watch_get(a.st, h) : nullptr;
  if (w == nullptr || w->kind == WATCH_TIMER) return ret_i32(env, -EBADF);
  return ret_i32(env, uv_poll_stop(&w->poll));
}

// watch_close(h): also closes a timer's descriptor; a polled descriptor stays the caller's.
static napi_value watch_close_call(napi_env env, napi_callback_info info) {
  Args<1> a(env, info);
  const uint32_t h = a.u32(0);
  if (!a.ok || watch_get(a.st, h) == nullptr) return ret_i32(env, -EBADF);
  watch_close(a.st, h);
  return ret_i32(env, 0);
}

// watch_ref(h, on): whether an active watcher keeps the event loop alive.
static napi_value watch_ref(napi_env env, napi_callback_info info) {
  Args<2> a(env, info);
  const uint32_t h = a.u32(0);
  const int on = a.i32(1);
  Watcher* w = a.ok ? watch_get(a.st, h) : nullptr;
  if (w == nullptr) return ret_i32(env, -EBADF);
  uv_handle_t* handle = reinterpret_cast<uv_handle_t*>(&w->poll);
  if (on != 0) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
  return ret_i32(env, 0);
}

// timer_arm(h, deadline_ns): one shot at that CLOCK_MONOTONIC time, at once when it has passed; a negative deadline disarms.
static napi_value timer_arm(napi_env env, napi_callback_info info) {
  Args<2> a(env, info);
  const uint32_t h = a.u32(0);
  const double deadline = a.f64(1);
  Watcher* w = a.ok ? watch_get(a.st, h) : nullptr;
  if (w == nullptr || w->kind != WATCH_TIMER) return ret_i32(env, -EBADF);
  if (!(deadline <= 9e18)) return ret_i32(env, -EINVAL);
  struct itimerspec its = {};
  if (deadline >= 0) {
    const int64_t ns = deadline < 1 ? 1 : static_cast<int64_t>(std::ceil(deadline));
    its.it_value.tv_sec = static_cast<time_t>(ns / 1000000000);
    its.it_value.tv_nsec = static_cast<long>(ns % 1000000000);
  }
  return ret_i32(env, timerfd_settime(w->fd, TFD_TIMER_ABSTIME, &its, nullptr) == 0 ? 0 : -errno);
}

void watch_exports(Napi::Env env, Napi::Object exports, State* st) {
  export_control(env, exports, st, "poll_open", poll_open);
  export_control(env, exports, st, "pipe_open", pipe_open);
  export_control(env, exports, st, "timer_open", timer_open);
  export_raw(env, exports, st, "poll_start", poll_start);
  export_raw(env, exports, st, "poll_stop", poll_stop);
  export_raw(env, exports, st, "watch_close", watch_close_call);
  export_raw(env, exports, st, "watch_ref", watch_ref);
  export_raw(env, exports, st, "timer_arm", timer_arm);
}

}  // namespace rumpuser
