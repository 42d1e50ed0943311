// Files group: descriptors. Flags and types are Linux's here; hypercall/native/files.ts speaks rumpuser's.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rumpuser.h"

namespace rumpuser {

// fd_open(path, flags, mode) -> descriptor (close-on-exec) or -errno
static Napi::Value fd_open(const Napi::CallbackInfo& info) {
  std::string path;
  int64_t flags = 0;
  int64_t mode = 0;
  if (!want_string(info, 0, "path", &path) || !want_int(info, 1, "flags", &flags) || !want_int(info, 2, "mode", &mode)) {
    return info.Env().Undefined();
  }
  if (path.find('\0') != std::string::npos) return Napi::Number::New(info.Env(), -EINVAL);
  int fd;
  do {
    fd = open(path.c_str(), static_cast<int>(flags) | O_CLOEXEC, static_cast<mode_t>(mode));
  } while (fd < 0 && errno == EINTR);
  return Napi::Number::New(info.Env(), fd < 0 ? -errno : own_fd(state_of(info), fd));
}

// fd_close(fd): also the only way to close what fd_open, tap_open and kick_open have opened.
static napi_value fd_close(napi_env env, napi_callback_info info) {
  Args<1> a(env, info);
  const int fd = a.i32(0);
  if (!a.ok) return ret_i32(env, -EINVAL);
  a.st->fds.erase(fd);
  return ret_i32(env, close(fd) == 0 || errno == EINTR ? 0 : -errno);
}

// A block device has no size of its own; its end says how large it is.
static off_t size_of(const struct stat& sb, int fd) {
  if (!S_ISBLK(sb.st_mode) || fd < 0) return sb.st_size;
  const off_t here = lseek(fd, 0, SEEK_CUR);
  const off_t end = lseek(fd, 0, SEEK_END);
  lseek(fd, here, SEEK_SET);
  return end < 0 ? 0 : end;
}

static Napi::Value stat_object(Napi::Env env, int rc, const struct stat& sb, int fd) {
  if (rc != 0) return Napi::Number::New(env, -errno);
  Napi::Object r = Napi::Object::New(env);
  r.Set("size", static_cast<double>(size_of(sb, fd)));
  r.Set("type", static_cast<double>(sb.st_mode & S_IFMT));
  r.Set("mode", static_cast<double>(sb.st_mode & 07777));
  r.Set("ino", static_cast<double>(sb.st_ino));
  r.Set("dev", static_cast<double>(sb.st_dev));
  r.Set("uid", static_cast<double>(sb.st_uid));
  r.Set("nlink", static_cast<double>(sb.st_nlink));
  return r;
}

// fd_stat(fd) and path_stat(path) -> {size, type, mode, ino, dev, uid, nlink} or -errno
static Napi::Value fd_stat(const Napi::CallbackInfo& info) {
  int64_t fd = 0;
  if (!want_int(info, 0, "fd", &fd)) return info.Env().Undefined();
  struct stat sb = {};
  return stat_object(info.Env(), fstat(static_cast<int>(fd), &sb), sb, static_cast<int>(fd));
}

static Napi::Value path_stat(const Napi::CallbackInfo& info) {
  std::string path;
  if (!want_string(info, 0, "path", &path)) return info.Env().Undefined();
  struct stat sb = {};
  const int rc = stat(path.c_str(), &sb);
  const int fd = rc == 0 && S_ISBLK(sb.st_mode) ? open(path.c_str(), O_RDONLY | O_CLOEXEC) : -1;
  const Napi::Value r = stat_object(info.Env(), rc, sb, fd);
  if (fd >= 0) close(fd);
  return r;
}

// fd_truncate(fd, size) -> 0 or -errno
static napi_value fd_truncate(napi_env env, napi_callback_info info) {
  Args<2> a(env, info);
  const int fd = a.i32(0);
  const int64_t size = a.i64(1);
  if (!a.ok) return ret_i32(env, -EINVAL);
  return ret_i32(env, ftruncate(fd, size) == 0 ? 0 : -errno);
}

// fd_allocate(fd, off, len) -> 0 or -errno: disk space for that range, so that a mapping of it cannot meet a full disk. The size stays.
static napi_value fd_allocate(napi_env env, napi_callback_info info) {
  Args<3> a(env, info);
  const int fd = a.i32(0);
  const int64_t off = a.i64(1);
  const int64_t len = a.i64(2);
  if (!a.ok) return ret_i32(env, -EINVAL);
  return ret_i32(env, fallocate(fd, FALLOC_FL_KEEP_SIZE, off, len) == 0 ? 0 : -errno);
}

// fd_sync(fd, range_flags, off, len): range_flags 0 = fdatasync of everything, else sync_file_range's SYNC_FILE_RANGE_* bits.
static napi_value fd_sync(napi_env env, napi_callback_info info) {
  Args<4> a(env, info);
  const int fd = a.i32(0);
  const uint32_t flags = a.u32(1);
  const int64_t off = a.i64(2);
  const int64_t len = a.i64(3);
  if (!a.ok) return ret_i32(env, -EINVAL);
  const int rc = flags == 0 ? fdatasync(fd) : sync_file_range(fd, off, len, flags);
  return ret_i32(env, rc == 0 ? 0 : -errno);
}

// fd_nonblock(fd, on) -> 0 or -errno
static napi_value fd_nonblock(napi_env env, napi_callback_info info) {
  Args<2> a(env, info);
  const int fd = a.i32(0);
  const int on = a.i32(1);
  if (!a.ok) return ret_i32(env, -EINVAL);
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return ret_i32(env, -errno);
  return ret_i32(env, fcntl(fd, F_SETFL, on != 0 ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) == 0 ? 0 : -errno);
}

void file_exports(Napi::Env env, Napi::Object exports, State* st) {
  export_control(env, exports, st, "fd_open", fd_open);
  export_control(env, exports, st, "fd_stat", fd_stat);
  export_control(env, exports, st, "path_stat", path_stat);
  export_raw(env, exports, st, "fd_close", fd_close);
  export_raw(env, exports, st, "fd_truncate", fd_truncate);
  export_raw(env, exports, st, "fd_allocate", fd_allocate);
  export_raw(env, exports, st, "fd_sync", fd_sync);
  export_raw(env, exports, st, "fd_nonblock", fd_nonblock);
}

}  // namespace rumpuser
