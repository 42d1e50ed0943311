// Bus group: byte-range locks that belong to an open file description. The host's kernel drops them when the last descriptor goes, so
// a process that is killed while it holds one frees it by dying.
#include <fcntl.h>
#include <unistd.h>

#include "rumpuser.h"

namespace rumpuser {

static int range_call(Args<3>& a, int command, short type, struct flock* fl) {
  const int fd = a.i32(0);
  *fl = {};
  fl->l_type = type;
  fl->l_whence = SEEK_SET;
  fl->l_start = a.i64(1);
  fl->l_len = a.i64(2);
  if (!a.ok || fl->l_len <= 0) return -EINVAL;
  return fcntl(fd, command, fl) == 0 ? 0 : -errno;
}

// ofd_trylock(fd, off, len) -> 0, or -EAGAIN while another description holds any byte of the range.
static napi_value ofd_trylock(napi_env env, napi_callback_info info) {
  Args<3> a(env, info);
  struct flock fl;
  const int rc = range_call(a, F_OFD_SETLK, F_WRLCK, &fl);
  return ret_i32(env, rc == -EACCES ? -EAGAIN : rc);
}

// ofd_test(fd, off, len) -> 0 free (or held by this very description), 1 held by another, or -errno.
static napi_value ofd_test(napi_env env, napi_callback_info info) {
  Args<3> a(env, info);
  struct flock fl;
  const int rc = range_call(a, F_OFD_GETLK, F_WRLCK, &fl);
  if (rc != 0) return ret_i32(env, rc);
  return ret_i32(env, fl.l_type == F_UNLCK ? 0 : 1);
}

static napi_value ofd_unlock(napi_env env, napi_callback_info info) {
  Args<3> a(env, info);
  struct flock fl;
  return ret_i32(env, range_call(a, F_OFD_SETLK, F_UNLCK, &fl));
}

void lock_exports(Napi::Env env, Napi::Object exports, State* st) {
  export_raw(env, exports, st, "ofd_trylock", ofd_trylock);
  export_raw(env, exports, st, "ofd_test", ofd_test);
  export_raw(env, exports, st, "ofd_unlock", ofd_unlock);
}

}  // namespace rumpuser
