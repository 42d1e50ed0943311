// Bus group: kicks. A kernel that may be woken binds a datagram socket to a name in the abstract namespace, which no process needs to
// clean up; whoever has put work on a ring sends it one byte.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "rumpuser.h"

namespace rumpuser {

static int kick_address(const std::string& name, struct sockaddr_un* sun, socklen_t* len) {
  if (name.empty()) return -EINVAL;
  if (name.size() + 1 > sizeof sun->sun_path) return -ENAMETOOLONG;
  memset(sun, 0, sizeof *sun);
  sun->sun_family = AF_UNIX;
  memcpy(sun->sun_path + 1, name.data(), name.size());
  *len = static_cast<socklen_t>(offsetof(struct sockaddr_un, sun_path) + 1 + name.size());
  return 0;
}

// kick_open(name) -> descriptor bound to that name (watch it with poll_open(fd, cb, true)), or -errno; EADDRINUSE when somebody holds
// it. The empty name gives an unbound socket that can only send.
static Napi::Value kick_open(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::string name;
  if (!want_string(info, 0, "name", &name)) return env.Undefined();
  struct sockaddr_un sun;
  socklen_t len = 0;
  const int bad = name.empty() ? 0 : kick_address(name, &sun, &len);
  if (bad != 0) return Napi::Number::New(env, bad);
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return Napi::Number::New(env, -errno);
  if (len != 0 && bind(fd, reinterpret_cast<struct sockaddr*>(&sun), len) != 0) {
    const int error = errno;
    close(fd);
    return Napi::Number::New(env, -error);
  }
  return Napi::Number::New(env, own_fd(state_of(info), fd));
}

// kick_send(fd, name) -> 0, also when kicks are already waiting there; -ECONNREFUSED when nobody holds the name.
static napi_value kick_send(napi_env env, napi_callback_info info) {
  Args<2> a(env, info);
  const int fd = a.i32(0);
  char name[sizeof(sockaddr_un::sun_path) + 1];
  size_t n = 0;
  if (!a.ok || napi_get_value_string_latin1(env, a.v[1], name, sizeof name, &n) != napi_ok) return ret_i32(env, -EINVAL);
  struct sockaddr_un sun;
  socklen_t len = 0;
  const int bad = kick_address(std::string(name, n), &sun, &len);
  if (bad != 0) return ret_i32(env, bad);
  const char byte = 0;
  ssize_t sent;
  do {
    sent = sendto(fd, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL, reinterpret_cast<struct sockaddr*>(&sun), len);
  } while (sent < 0 && errno == EINTR);
  return ret_i32(env, sent >= 0 || errno == EAGAIN || errno == ENOBUFS ? 0 : -errno);
}

void kick_exports(Napi::Env env, Napi::Object exports, State* st) {
  export_control(env, exports, st, "kick_open", kick_open);
  export_raw(env, exports, st, "kick_send", kick_send);
}

}  // namespace rumpuser
