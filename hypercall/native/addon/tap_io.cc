// Host Ethernet device, data side: whole batches of frames between a tap descriptor and the slab, described in a control block.
#include <sys/uio.h>
#include <unistd.h>

#include <cstring>

#include "tap_batch.h"

namespace rumpuser {

// The virtio header has to lie right before the frame for a transfer in one piece. It borrows the bytes there for the time of the system
// call, in which no JavaScript runs, and puts them back.
struct Borrowed {
  uint8_t* at;
  uint8_t saved[sizeof(VnetHdr)];

  Borrowed(uint8_t* frame, uint32_t hdrlen) : at(frame - hdrlen) { memcpy(saved, at, sizeof saved); }
  ~Borrowed() { memcpy(at, saved, sizeof saved); }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
};

// Reads header and frame. Returns what readv did, with the header in *hdr.
static ssize_t rx_read(Batch& b, const int32_t* rec, VnetHdr* hdr, size_t* room) {
  const uint32_t off = static_cast<uint32_t>(rec[FR_OFF]);
  const uint32_t cap = static_cast<uint32_t>(rec[FR_CAP]);
  uint8_t* frame = b.at(rec[FR_OFF], rec[FR_CAP]);
  const uint32_t overcap = static_cast<uint32_t>(b.w[FR_OVER_CAP]);
  uint8_t* over = b.at(b.w[FR_OVER_OFF], b.w[FR_OVER_CAP]);
  if (frame == nullptr || over == nullptr || off < sizeof *hdr) {
    errno = EFAULT;
    return -1;
  }
  *room = static_cast<size_t>(cap) + overcap;
  Borrowed header(frame, b.hdrlen);
  // One byte beyond the room tells a frame that was cut from one that fits exactly; no frame is longer than FR_LONGEST.
  uint8_t beyond;
  struct iovec iov[3] = {{header.at, b.hdrlen + cap}, {over, overcap}, {&beyond, 1}};
  int n = *room >= FR_LONGEST ? 2 : 3;
  if (overcap == 0) {
    iov[1] = iov[2];
    n = 2;
  }
  ssize_t got;
  do {
    got = readv(b.fd, iov, n);
  } while (got < 0 && errno == EINTR);
  memcpy(hdr, header.at, sizeof *hdr);
  return got;
}

// Reads one frame into record `i` and, when longer, on into the overflow buffer. Returns its length, 0 when dropped, or -errno.
static int32_t rx_frame(Batch& b, uint32_t i) {
  int32_t* rec = b.w + FR_HDR + i * FR_STRIDE;
  VnetHdr hdr = {};
  size_t room = 0;
  const ssize_t got = rx_read(b, rec, &hdr, &room);
  if (got < 0) return -errno;
  if (got <= static_cast<ssize_t>(b.hdrlen)) return 0;
  const size_t len = static_cast<size_t>(got) - b.hdrlen;
  if (len > room) {
    b.w[FR_DROPPED]++;
    return 0;
  }
  if (b.hdrlen == 0) hdr = {};
  rec[FR_LEN] = static_cast<int32_t>(len);
  rec[FR_FLAGS] = hdr.flags;
  rec[FR_GSO_TYPE] = hdr.gso_type;
  rec[FR_GSO_SIZE] = hdr.gso_size;
  rec[FR_HDR_LEN] = hdr.hdr_len;
  rec[FR_CSUM_START] = hdr.csum_start;
  rec[FR_CSUM_OFFSET] = hdr.csum_offset;
  return static_cast<int32_t>(len);
}

// tap_rx(fd, slab, ctl, nbufs, hdrlen) -> frames received, or -errno when the first read failed. The batch ends at EAGAIN, with the
// last buffer, or with a frame that took the overflow buffer. Dropped frames use up tries, so a flood cannot hold the thread.
static napi_value tap_rx(napi_env env, napi_callback_info info) {
  Args<5> a(env, info);
  Batch b(a);
  if (b.w == nullptr) return ret_i32(env, -EINVAL);
  uint32_t got = 0;
  for (uint32_t tries = 0; tries < b.n; tries++) {
    const int32_t len = rx_frame(b, got);
    if (len < 0) {
      b.w[FR_STATUS] = len;
      break;
    }
    if (len == 0) continue;
    b.w[FR_BYTES] += len;
    if (len > b.w[FR_HDR + got++ * FR_STRIDE + FR_CAP]) break;
  }
  if (got == 0 && b.w[FR_STATUS] < 0 && b.w[FR_STATUS] != -EAGAIN) return ret_i32(env, b.w[FR_STATUS]);
  return ret_i32(env, static_cast<int32_t>(got));
}

// Several pieces: a short frame is copied together, because that costs less than a vector; a long one goes out as it is.
static ssize_t tx_pieces(Batch& b, TxFrame& f) {
  if (f.len <= COPY_MAX) {
    uint8_t whole[sizeof(VnetHdr) + COPY_MAX];
    return write(b.fd, whole, f.copy(whole, b.hdrlen));
  }
  VnetHdr own;
  struct iovec iov[IOV_MAX_FRAME + 1];
  return writev(b.fd, iov, static_cast<int>(f.vector(iov, &own, b.hdrlen)));
}

// One piece, with the header in front of it.
static ssize_t tx_one(Batch& b, const VnetHdr& hdr, const struct iovec& piece) {
  uint8_t* frame = static_cast<uint8_t*>(piece.iov_base);
  Borrowed header(frame, b.hdrlen);
  memcpy(header.at, &hdr, b.hdrlen);
  return write(b.fd, header.at, b.hdrlen + piece.iov_len);
}

// Writes record `i`. Returns 0 or an errno.
static int tx_frame(Batch& b, uint32_t i) {
  TxFrame f;
  const int bad = f.gather(b, i);
  if (bad != 0) return bad;
  ssize_t sent;
  do {
    sent = f.n == 1 && f.headroom ? tx_one(b, f.hdr, f.pieces[0]) : tx_pieces(b, f);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return errno;
  b.w[FR_BYTES] += static_cast<int32_t>(sent - static_cast<ssize_t>(b.hdrlen));
  return 0;
}

// tap_tx(fd, slab, ctl, nframes, hdrlen) -> frames done with, sent or refused. Fewer than nframes means that the device is full: keep
// the rest and wait until the descriptor is writable. FR_DROPPED counts the refused ones, each with its negative errno in FR_LEN.
static napi_value tap_tx(napi_env env, napi_callback_info info) {
  Args<5> a(env, info);
  Batch b(a);
  if (b.w == nullptr) return ret_i32(env, -EINVAL);
  uint32_t done = 0;
  for (; done < b.n; done++) {
    const int error = tx_frame(b, done);
    if (error == 0) continue;
    b.w[FR_STATUS] = -error;
    if (error == EAGAIN) break;
    b.w[FR_HDR + done * FR_STRIDE + FR_LEN] = -error;
    b.w[FR_DROPPED]++;
  }
  return ret_i32(env, static_cast<int32_t>(done));
}

void tap_io_exports(Napi::Env env, Napi::Object exports, State* st) {
  export_raw(env, exports, st, "tap_rx", tap_rx);
  export_raw(env, exports, st, "tap_tx", tap_tx);
}

}  // namespace rumpuser
