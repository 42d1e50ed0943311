// Bus group: kicks. A kernel that may be woken binds a datagram socket to a name in the abstract namespace, which no process needs to
// clean up; whoever has put work on a ring sends it one byte. With its first kick a process passes on the reading end of a pipe of its own, and
// writes into that from then on: a pipe costs a third of a datagram, and breaks by itself when either side dies.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "rumpuser.h"

namespace rumpuser {

static int kick_address(const char* name, size_t n, struct sockaddr_un* sun, socklen_t* len) {
  if (n == 0) return -EINVAL;
  if (n + 1 > sizeof sun->sun_path) return -ENAMETOOLONG;
  sun->sun_family = AF_UNIX;
  sun->sun_path[0] = '\0';
  memcpy(sun->sun_path + 1, name, n);
  *len = static_cast<socklen_t>(offsetof(struct sockaddr_un, sun_path) + 1 + n);
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
  const int bad = name.empty() ? 0 : kick_address(name.data(), name.size(), &sun, &len);
  if (bad != 0) return Napi::Number::New(env, bad);
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return Napi::Number::New(env, -errno);
  const int on = 1;
  if (len != 0) setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
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
  const int bad = kick_address(name, n, &sun, &len);
  if (bad != 0) return ret_i32(env, bad);
  const char byte = 0;
  ssize_t sent;
  do {
    sent = sendto(fd, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL, reinterpret_cast<struct sockaddr*>(&sun), len);
  } while (sent < 0 && errno == EINTR);
  return ret_i32(env, sent >= 0 || errno == EAGAIN || errno == ENOBUFS ? 0 : -errno);
}

// kick_pipe(fd, name): a kick that passes on the reading end of a new pipe -> its writing end; 0 when kicks are already waiting there and the
// pipe was not taken; -ECONNREFUSED when nobody holds the name.
static napi_value kick_pipe(napi_env env, napi_callback_info info) {
  Args<2> a(env, info);
  const int fd = a.i32(0);
  char name[sizeof(sockaddr_un::sun_path) + 1];
  size_t n = 0;
  if (!a.ok || napi_get_value_string_latin1(env, a.v[1], name, sizeof name, &n) != napi_ok) return ret_i32(env, -EINVAL);
  struct sockaddr_un sun;
  socklen_t len = 0;
  const int bad = kick_address(name, n, &sun, &len);
  if (bad != 0) return ret_i32(env, bad);
  int ends[2];
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return ret_i32(env, -errno);
  char byte = 0;
  struct iovec iov = {&byte, 1};
  alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  struct msghdr msg = {};
  msg.msg_name = &sun;
  msg.msg_namelen = len;
  msg.msg_iov = &iov;
  msg.msg_iovlen = 1;
  msg.msg_control = control;
  msg.msg_controllen = sizeof control;
  struct cmsghdr* c = CMSG_FIRSTHDR(&msg);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(c), &ends[0], sizeof(int));
  ssize_t sent;
  do {
    sent = sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  const int error = sent < 0 ? errno : 0;
  close(ends[0]);
  if (error == 0) return ret_i32(env, own_fd(a.st, ends[1]));
  close(ends[1]);
  return ret_i32(env, error == EAGAIN || error == ENOBUFS ? 0 : -error);
}

// kick_write(fd): a kick by pipe -> 0, also when the pipe is full of kicks; -EPIPE when the other side has closed it.
static napi_value kick_write(napi_env env, napi_callback_info info) {
  Args<1> a(env, info);
  const int fd = a.i32(0);
  if (!a.ok) return ret_i32(env, -EINVAL);
  const char byte = 0;
  ssize_t n;
  do {
    n = write(fd, &byte, 1);
  } while (n < 0 && errno == EINTR);
  return ret_i32(env, n >= 0 || errno == EAGAIN ? 0 : -errno);
}

// The pipe in the control messages of a kick whose sender is us or root; every other descriptor is closed.
static int kick_received(struct msghdr* msg) {
  int got = -1;
  bool trusted = false;
  for (struct cmsghdr* c = CMSG_FIRSTHDR(msg); c != nullptr; c = CMSG_NXTHDR(msg, c)) {
    if (c->cmsg_level != SOL_SOCKET) continue;
    if (c->cmsg_type == SCM_CREDENTIALS) {
      struct ucred cred;
      memcpy(&cred, CMSG_DATA(c), sizeof cred);
      trusted = cred.uid == geteuid() || cred.uid == 0;
    } else if (c->cmsg_type == SCM_RIGHTS) {
      const size_t fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (size_t i = 0; i < fds; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
        if (got >= 0) close(fd);
        else got = fd;
      }
    }
  }
  struct stat st;
  if (got >= 0 && (!trusted || fstat(got, &st) != 0 || !S_ISFIFO(st.st_mode) || fcntl(got, F_SETFL, O_NONBLOCK) != 0)) {
    close(got);
    got = -1;
  }
  return got;
}

// kick_take(fd): takes one kick from a bound socket -> the reading end of its sender's pipe, 0 if it came without, -EAGAIN when there is none.
static napi_value kick_take(napi_env env, napi_callback_info info) {
  Args<1> a(env, info);
  const int fd = a.i32(0);
  if (!a.ok) return ret_i32(env, -EINVAL);
  char byte;
  struct iovec iov = {&byte, 1};
  alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
  struct msghdr msg = {};
  msg.msg_iov = &iov;
  msg.msg_iovlen = 1;
  msg.msg_control = control;
  msg.msg_controllen = sizeof control;
  const ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (n < 0) return ret_i32(env, -errno);
  const int got = kick_received(&msg);
  return ret_i32(env, got < 0 ? 0 : own_fd(a.st, got));
}

void kick_exports(Napi::Env env, Napi::Object exports, State* st) {
  export_control(env, exports, st, "kick_open", kick_open);
  export_raw(env, exports, st, "kick_send", kick_send);
  export_raw(env, exports, st, "kick_pipe", kick_pipe);
  export_raw(env, exports, st, "kick_write", kick_write);
  export_raw(env, exports, st, "kick_take", kick_take);
}

}  // namespace rumpuser
