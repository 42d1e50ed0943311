// Host Ethernet device, data side, by io_uring: a whole batch of frames is written in one system call. Used when the host's kernel allows
// it; tap_io.cc does the same work without.
//
// A tap takes a frame at once or refuses it with EAGAIN, and the descriptor is non-blocking, so every request has been carried out when
// io_uring_enter returns and its memory is free again. Success makes no completion; only refusals do. The descriptor is not registered with
// the ring, which would be a little faster: the ring of a closed or killed kernel is taken down later, and would hold the tap until then.
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <memory>

#include "tap_batch.h"

// Younger than the system headers of Debian 12.
#ifndef IORING_SETUP_SINGLE_ISSUER
#define IORING_SETUP_SINGLE_ISSUER (1U << 12)
#endif

namespace rumpuser {

// Vector entries for one submission; a batch that needs more is submitted in parts.
static const uint32_t IOV_POOL = FR_BATCH * 8;

// The rings as mapped, for one tap.
struct TapRing {
  int ring = -1;
  int fd = -1;
  void* map = MAP_FAILED;
  size_t map_len = 0;
  io_uring_sqe* sqes = nullptr;
  size_t sqes_len = 0;
  unsigned* sq_tail = nullptr;
  unsigned* sq_array = nullptr;
  unsigned sq_mask = 0;
  unsigned* cq_head = nullptr;
  unsigned* cq_tail = nullptr;
  unsigned cq_mask = 0;
  io_uring_cqe* cqes = nullptr;
  // Where short frames are put together and long ones described until they are submitted.
  TxFrame frame;
  uint8_t copies[FR_BATCH][sizeof(VnetHdr) + COPY_MAX];
  VnetHdr headers[FR_BATCH];
  size_t lengths[FR_BATCH];
  struct iovec iov[IOV_POOL];
  uint32_t iov_used = 0;

  ~TapRing() {
    if (sqes != nullptr) munmap(sqes, sqes_len);
    if (map != MAP_FAILED) munmap(map, map_len);
    if (ring >= 0) close(ring);
  }
};

void tap_ring_free(TapRing* r) { delete r; }

static unsigned* ring_word(TapRing* r, unsigned off) { return reinterpret_cast<unsigned*>(static_cast<uint8_t*>(r->map) + off); }

static int ring_setup(TapRing* r, io_uring_params* p) {
  for (const unsigned flags : {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN, 0U}) {
    *p = {};
    p->flags = flags;
    r->ring = static_cast<int>(syscall(SYS_io_uring_setup, FR_BATCH, p));
    if (r->ring >= 0 || errno != EINVAL) break;
  }
  if (r->ring < 0) return -errno;
  const unsigned need = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_CQE_SKIP;
  return (p->features & need) == need ? 0 : -ENOSYS;
}

static int ring_map(TapRing* r, const io_uring_params& p) {
  const size_t sq_len = p.sq_off.array + p.sq_entries * sizeof(unsigned);
  const size_t cq_len = p.cq_off.cqes + p.cq_entries * sizeof(io_uring_cqe);
  r->map_len = sq_len > cq_len ? sq_len : cq_len;
  r->map = mmap(nullptr, r->map_len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r->ring, IORING_OFF_SQ_RING);
  if (r->map == MAP_FAILED) return -errno;
  const size_t sqes_len = p.sq_entries * sizeof(io_uring_sqe);
  void* sqes = mmap(nullptr, sqes_len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r->ring, IORING_OFF_SQES);
  if (sqes == MAP_FAILED) return -errno;
  r->sqes = static_cast<io_uring_sqe*>(sqes);
  r->sqes_len = sqes_len;
  r->sq_tail = ring_word(r, p.sq_off.tail);
  r->sq_array = ring_word(r, p.sq_off.array);
  r->sq_mask = *ring_word(r, p.sq_off.ring_mask);
  r->cq_head = ring_word(r, p.cq_off.head);
  r->cq_tail = ring_word(r, p.cq_off.tail);
  r->cq_mask = *ring_word(r, p.cq_off.ring_mask);
  r->cqes = reinterpret_cast<io_uring_cqe*>(ring_word(r, p.cq_off.cqes));
  return 0;
}

// tap_ring_open(fd) -> handle, or -errno when this host has no io_uring for us.
static Napi::Value tap_ring_open(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  State* st = state_of(info);
  int64_t fd = 0;
  if (!want_int(info, 0, "fd", &fd)) return env.Undefined();
  std::unique_ptr<TapRing> r(new TapRing());
  io_uring_params p;
  r->fd = static_cast<int>(fd);
  int error = ring_setup(r.get(), &p);
  if (error == 0) error = ring_map(r.get(), p);
  if (error != 0) return Napi::Number::New(env, error);
  for (size_t i = 0; i < st->rings.size(); i++) {
    if (st->rings[i] != nullptr) continue;
    st->rings[i] = r.release();
    return Napi::Number::New(env, static_cast<double>(i));
  }
  st->rings.push_back(r.release());
  return Napi::Number::New(env, static_cast<double>(st->rings.size() - 1));
}

// tap_ring_close(handle)
static napi_value tap_ring_close(napi_env env, napi_callback_info info) {
  Args<1> a(env, info);
  const uint32_t h = a.u32(0);
  if (!a.ok || h >= a.st->rings.size() || a.st->rings[h] == nullptr) return ret_i32(env, -EBADF);
  delete a.st->rings[h];
  a.st->rings[h] = nullptr;
  return ret_i32(env, 0);
}

// Describes r->frame, which is number `i`, to the kernel.
static void ring_prepare(TapRing* r, Batch& b, uint32_t i) {
  TxFrame& f = r->frame;
  const unsigned tail = *r->sq_tail;
  io_uring_sqe* sqe = &r->sqes[tail & r->sq_mask];
  memset(sqe, 0, sizeof *sqe);
  sqe->flags = IOSQE_CQE_SKIP_SUCCESS;
  sqe->fd = r->fd;
  sqe->off = static_cast<uint64_t>(-1);
  sqe->user_data = i;
  if (f.len <= COPY_MAX) {
    sqe->opcode = IORING_OP_WRITE;
    sqe->len = static_cast<uint32_t>(f.copy(r->copies[i], b.hdrlen));
    sqe->addr = reinterpret_cast<uint64_t>(r->copies[i]);
  } else {
    sqe->opcode = IORING_OP_WRITEV;
    sqe->len = f.vector(r->iov + r->iov_used, &r->headers[i], b.hdrlen);
    sqe->addr = reinterpret_cast<uint64_t>(r->iov + r->iov_used);
    r->iov_used += sqe->len;
  }
  r->sq_array[tail & r->sq_mask] = tail & r->sq_mask;
  __atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
  r->lengths[i] = f.len;
  b.w[FR_BYTES] += static_cast<int32_t>(f.len);
}

// Has `count` described frames written. Returns 0 or -errno.
static int ring_submit(TapRing* r, unsigned count) {
  r->iov_used = 0;
  while (count > 0) {
    const long n = syscall(SYS_io_uring_enter, r->ring, count, 0, 0, nullptr, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? -errno : -EIO;
    count -= static_cast<unsigned>(n);
  }
  return 0;
}

static void refuse(Batch& b, uint32_t i, int error) {
  b.w[FR_STATUS] = -error;
  b.w[FR_HDR + i * FR_STRIDE + FR_LEN] = -error;
  b.w[FR_DROPPED]++;
}

// Takes the completions: frames that were refused. One that met a full device is lost, for those behind it have passed it.
static void ring_reap(TapRing* r, Batch& b) {
  unsigned head = *r->cq_head;
  const unsigned tail = __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE);
  for (; head != tail; head++) {
    const io_uring_cqe& cqe = r->cqes[head & r->cq_mask];
    const uint32_t i = static_cast<uint32_t>(cqe.user_data);
    if (cqe.res >= 0 || i >= b.n) continue;
    refuse(b, i, -cqe.res);
    b.w[FR_BYTES] -= static_cast<int32_t>(r->lengths[i]);
  }
  __atomic_store_n(r->cq_head, head, __ATOMIC_RELEASE);
}

// tap_ring_tx(ring, slab, ctl, nframes, hdrlen) -> frames done with, as tap_tx.
static napi_value tap_ring_tx(napi_env env, napi_callback_info info) {
  Args<5> a(env, info);
  Batch b(a);
  const uint32_t h = static_cast<uint32_t>(b.fd);
  if (b.w == nullptr || h >= a.st->rings.size() || a.st->rings[h] == nullptr) return ret_i32(env, -EINVAL);
  TapRing* r = a.st->rings[h];
  unsigned ready = 0;
  int error = 0;
  for (uint32_t i = 0; i < b.n && error == 0; i++) {
    const int bad = r->frame.gather(b, i);
    if (bad != 0) {
      refuse(b, i, bad);
      continue;
    }
    if (r->iov_used + r->frame.n + 1 > IOV_POOL) {
      error = ring_submit(r, ready);
      ready = 0;
    }
    ring_prepare(r, b, i);
    ready++;
  }
  if (error == 0) error = ring_submit(r, ready);
  if (error != 0) return ret_i32(env, error);
  ring_reap(r, b);
  return ret_i32(env, static_cast<int32_t>(b.n));
}

void tap_ring_exports(Napi::Env env, Napi::Object exports, State* st) {
  export_control(env, exports, st, "tap_ring_open", tap_ring_open);
  export_raw(env, exports, st, "tap_ring_close", tap_ring_close);
  export_raw(env, exports, st, "tap_ring_tx", tap_ring_tx);
}

}  // namespace rumpuser
