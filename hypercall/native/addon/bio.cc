// Block I/O group: reads, writes and flushes on libuv's thread pool, completion by callback on the event loop.
#include <unistd.h>

#include "rumpuser.h"

namespace rumpuser {

// rumpuser's operation bits.
enum { BIO_READ = 1, BIO_WRITE = 2, BIO_SYNC = 4 };
static const uint32_t SECTOR = 512;

struct Bio {
  State* st;
  napi_async_work work = nullptr;
  napi_ref callback = nullptr;
  uint32_t slab = 0;
  int fd = -1;
  int op = 0;
  uint8_t* data = nullptr;
  uint32_t len = 0;
  int64_t off = 0;
  int64_t moved = 0;
  int error = 0;
};

// On a pool thread. A short transfer is continued; a read stops at the end of the file.
static void bio_execute(napi_env, void* data) {
  Bio* b = static_cast<Bio*>(data);
  while ((b->op & (BIO_READ | BIO_WRITE)) != 0 && b->moved < b->len) {
    const size_t left = b->len - static_cast<size_t>(b->moved);
    const ssize_t n = (b->op & BIO_READ) != 0 ? pread(b->fd, b->data + b->moved, left, b->off + b->moved)
                                              : pwrite(b->fd, b->data + b->moved, left, b->off + b->moved);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) b->error = -errno;
    if (n <= 0) break;
    b->moved += n;
  }
  if (b->error == 0 && (b->op & BIO_SYNC) != 0 && fdatasync(b->fd) != 0) b->error = -errno;
}

static void bio_complete(napi_env env, napi_status status, void* data) {
  Bio* b = static_cast<Bio*>(data);
  if (b->slab < b->st->regions.size() && b->st->regions[b->slab].busy > 0) b->st->regions[b->slab].busy--;
  if (status != napi_cancelled) {
    napi_handle_scope scope = nullptr;
    napi_open_handle_scope(env, &scope);
    const napi_value argv[2] = {ret_f64(env, static_cast<double>(b->moved)), ret_i32(env, b->error)};
    call_js(env, b->st->ctx, b->callback, 2, argv);
    napi_close_handle_scope(env, scope);
  }
  napi_delete_reference(env, b->callback);
  napi_delete_async_work(env, b->work);
  delete b;
}

// bio(fd, op, slab, off, len, fileoff, done(bytes, error)) -> 0 or -errno (then `done` is never called). `len` is a multiple of 512,
// and may be 0 for a bare SYNC. The memory must stay allocated until `done`.
static Napi::Value bio(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  int64_t fd = 0, op = 0, slab = 0, off = 0, len = 0, fileoff = 0;
  if (!want_int(info, 0, "fd", &fd) || !want_int(info, 1, "op", &op) || !want_int(info, 2, "slab", &slab) ||
      !want_int(info, 3, "off", &off) || !want_int(info, 4, "len", &len) || !want_int(info, 5, "fileoff", &fileoff) ||
      !want_function(info, 6, "done")) {
    return env.Undefined();
  }
  const int64_t move = op & (BIO_READ | BIO_WRITE);
  const bool known = op > 0 && (op & ~(BIO_READ | BIO_WRITE | BIO_SYNC)) == 0 && move != (BIO_READ | BIO_WRITE);
  if (!known || len < 0 || len > INT32_MAX || len % SECTOR != 0 || (move != 0) != (len != 0) || off < 0 || off > UINT32_MAX ||
      fileoff < 0) {
    return Napi::Number::New(env, -EINVAL);
  }
  State* st = state_of(info);
  Bio* b = new Bio();
  b->st = st;
  b->data = region_at(st, static_cast<uint32_t>(slab), static_cast<uint32_t>(off), static_cast<uint32_t>(len));
  if (b->data == nullptr) {
    delete b;
    return Napi::Number::New(env, -EFAULT);
  }
  b->slab = static_cast<uint32_t>(slab);
  b->fd = static_cast<int>(fd);
  b->op = static_cast<int>(op);
  b->len = static_cast<uint32_t>(len);
  b->off = fileoff;
  napi_create_async_work(env, nullptr, Napi::String::New(env, "rumpuser_bio"), bio_execute, bio_complete, b, &b->work);
  napi_create_reference(env, info[6], 1, &b->callback);
  st->regions[b->slab].busy++;
  napi_queue_async_work(env, b->work);
  return Napi::Number::New(env, 0);
}

void bio_exports(Napi::Env env, Napi::Object exports, State* st) { export_control(env, exports, st, "bio", bio); }

}  // namespace rumpuser
