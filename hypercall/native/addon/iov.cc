// Files group: scatter and gather between a descriptor and the slab. The vector is (offset, length) pairs in a control block.
#include <sys/uio.h>
#include <unistd.h>

#include "rumpuser.h"

namespace rumpuser {

static const uint32_t IOV_LIMIT = 1024;  // the kernel's own UIO_MAXIOV

struct IovCall {
  struct iovec iov[IOV_LIMIT];
  int n = 0;
  int fd = -1;
  int64_t fileoff = -1;
};

// Fetches (fd, slab, ctl, first word, pairs, fileoff). Returns 0 or -errno.
static int fetch(Args<6>& a, IovCall* c) {
  c->fd = a.i32(0);
  const uint32_t slab = a.u32(1);
  const Words block = region_words(a.st, a.u32(2));
  const uint32_t first = a.u32(3);
  const uint32_t pairs = a.u32(4);
  c->fileoff = a.i64(5);
  if (!a.ok || pairs == 0 || pairs > IOV_LIMIT || first > block.n || block.n - first < pairs * 2) return -EINVAL;
  for (uint32_t i = 0; i < pairs; i++) {
    const uint32_t off = static_cast<uint32_t>(block.w[first + i * 2]);
    const uint32_t len = static_cast<uint32_t>(block.w[first + i * 2 + 1]);
    uint8_t* at = region_at(a.st, slab, off, len);
    if (at == nullptr) return -EFAULT;
    c->iov[i] = {at, len};
  }
  c->n = static_cast<int>(pairs);
  return 0;
}

// iov_read / iov_write(fd, slab, ctl, first, pairs, fileoff) -> bytes moved or -errno; fileoff -1 uses the descriptor's own position.
static napi_value iov_read(napi_env env, napi_callback_info info) {
  Args<6> a(env, info);
  IovCall c;
  const int bad = fetch(a, &c);
  if (bad != 0) return ret_i32(env, bad);
  ssize_t n;
  do {
    n = c.fileoff < 0 ? readv(c.fd, c.iov, c.n) : preadv(c.fd, c.iov, c.n, c.fileoff);
  } while (n < 0 && errno == EINTR);
  return ret_f64(env, n < 0 ? -errno : static_cast<double>(n));
}

static napi_value iov_write(napi_env env, napi_callback_info info) {
  Args<6> a(env, info);
  IovCall c;
  const int bad = fetch(a, &c);
  if (bad != 0) return ret_i32(env, bad);
  ssize_t n;
  do {
    n = c.fileoff < 0 ? writev(c.fd, c.iov, c.n) : pwritev(c.fd, c.iov, c.n, c.fileoff);
  } while (n < 0 && errno == EINTR);
  return ret_f64(env, n < 0 ? -errno : static_cast<double>(n));
}

void iov_exports(Napi::Env env, Napi::Object exports, State* st) {
  export_raw(env, exports, st, "iov_read", iov_read);
  export_raw(env, exports, st, "iov_write", iov_write);
}

}  // namespace rumpuser
