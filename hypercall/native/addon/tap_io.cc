// Host Ethernet device, data side: whole batches of frames between a tap descriptor and the slab, described in a control block.
// The layout of the block is the frames contract of hypercall/api/frames.ts.
#include <sys/uio.h>
#include <unistd.h>

#include <cstring>

#include "rumpuser.h"

namespace rumpuser {

// The 12-byte virtio header before each frame, in the host's byte order (<linux/virtio_net.h> is not C++).
struct VnetHdr {
  uint8_t flags;
  uint8_t gso_type;
  uint16_t hdr_len;
  uint16_t gso_size;
  uint16_t csum_start;
  uint16_t csum_offset;
  uint16_t num_buffers;
};
static_assert(sizeof(VnetHdr) == 12, "tap.cc sets this size with TUNSETVNETHDRSZ");

// Words of the head of a block.
enum {
  FR_OVER_OFF = 0,  // rx, in: the overflow buffer; capacity 0 means none
  FR_OVER_CAP = 1,
  FR_STATUS = 4,   // out: 0, or the negative errno that ended the batch (rx) or was met last (tx)
  FR_DROPPED = 5,  // out: frames that fitted no buffer (rx) or that the host refused (tx)
  FR_BYTES = 6,    // out
  FR_HDR = 8,
};
// Words of one record.
enum {
  FR_OFF = 0,
  FR_CAP = 1,
  FR_LEN = 2,
  FR_FLAGS = 3,
  FR_GSO_TYPE = 4,
  FR_GSO_SIZE = 5,
  FR_HDR_LEN = 6,
  FR_CSUM_START = 7,
  FR_CSUM_OFFSET = 8,
  FR_IOV = 9,
  FR_NIOV = 10,
  FR_STRIDE = 12,
};
static const uint32_t FR_BATCH = 256;
static const uint32_t IOV_MAX_FRAME = 64;
// No frame of a tap is longer: an IP packet and its link header with VLAN tags.
static const size_t FR_LONGEST = 65535 + 14 + 8;
// Frames in several pieces up to this length are copied together.
static const size_t COPY_MAX = 512;

// The arguments shared by both directions: (fd, slab, ctl, n, hdrlen).
struct Batch {
  State* st;
  int fd;
  uint32_t slab;
  int32_t* w = nullptr;
  uint32_t words = 0;
  uint32_t n;
  uint32_t hdrlen;

  Batch(Args<5>& a) : st(a.st), fd(a.i32(0)), slab(a.u32(1)) {
    const Words block = region_words(a.st, a.u32(2));
    n = a.u32(3);
    hdrlen = a.u32(4);
    if (!a.ok || n > FR_BATCH || block.n < FR_HDR + n * FR_STRIDE) return;
    if (hdrlen != 0 && hdrlen != sizeof(VnetHdr)) return;
    w = block.w;
    words = block.n;
    w[FR_STATUS] = 0;
    w[FR_DROPPED] = 0;
    w[FR_BYTES] = 0;
  }
  uint8_t* at(int32_t off, int32_t len) { return region_at(st, slab, static_cast<uint32_t>(off), static_cast<uint32_t>(len)); }
};

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

static void tx_header(const int32_t* rec, VnetHdr* hdr) {
  hdr->flags = static_cast<uint8_t>(rec[FR_FLAGS]);
  hdr->gso_type = static_cast<uint8_t>(rec[FR_GSO_TYPE]);
  hdr->gso_size = static_cast<uint16_t>(rec[FR_GSO_SIZE]);
  hdr->hdr_len = static_cast<uint16_t>(rec[FR_HDR_LEN]);
  hdr->csum_start = static_cast<uint16_t>(rec[FR_CSUM_START]);
  hdr->csum_offset = static_cast<uint16_t>(rec[FR_CSUM_OFFSET]);
  hdr->num_buffers = 0;
}

// Several pieces: a short frame is copied together, because that costs less than a vector; a long one goes out as it is.
static ssize_t tx_pieces(Batch& b, const VnetHdr& hdr, const struct iovec* pieces, uint32_t n, size_t len) {
  if (len <= COPY_MAX) {
    uint8_t whole[sizeof hdr + COPY_MAX];
    memcpy(whole, &hdr, b.hdrlen);
    size_t at = b.hdrlen;
    for (uint32_t p = 0; p < n; p++) {
      memcpy(whole + at, pieces[p].iov_base, pieces[p].iov_len);
      at += pieces[p].iov_len;
    }
    return write(b.fd, whole, at);
  }
  VnetHdr own = hdr;
  struct iovec iov[IOV_MAX_FRAME + 1];
  iov[0] = {&own, b.hdrlen};
  memcpy(iov + 1, pieces, n * sizeof *pieces);
  return writev(b.fd, iov, static_cast<int>(n) + 1);
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
  const int32_t* rec = b.w + FR_HDR + i * FR_STRIDE;
  const uint32_t niov = static_cast<uint32_t>(rec[FR_NIOV]);
  const uint32_t first = static_cast<uint32_t>(rec[FR_IOV]);
  if (niov == 0 || niov > IOV_MAX_FRAME || first > b.words || b.words - first < niov * 2) return EINVAL;
  VnetHdr hdr;
  tx_header(rec, &hdr);
  struct iovec pieces[IOV_MAX_FRAME];
  size_t len = 0;
  for (uint32_t p = 0; p < niov; p++) {
    const int32_t* pair = b.w + first + p * 2;
    uint8_t* at = b.at(pair[0], pair[1]);
    if (at == nullptr) return EFAULT;
    pieces[p] = {at, static_cast<uint32_t>(pair[1])};
    len += pieces[p].iov_len;
  }
  const bool headroom = static_cast<uint32_t>(b.w[first]) >= sizeof hdr;
  ssize_t sent;
  do {
    sent = niov == 1 && headroom ? tx_one(b, hdr, pieces[0]) : tx_pieces(b, hdr, pieces, niov, len);
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
