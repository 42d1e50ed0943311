// What the two ways to move frames (tap_io.cc by system calls, tap_ring.cc by io_uring) have in common: the control block, whose layout is
// the frames contract of hypercall/api/frames.ts, and a frame gathered from its pieces.
#ifndef TAP_BATCH_H
#define TAP_BATCH_H

#include <sys/uio.h>

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
constexpr uint32_t FR_BATCH = 256;
constexpr uint32_t IOV_MAX_FRAME = 64;
// No frame of a tap is longer: an IP packet and its link header with VLAN tags.
constexpr size_t FR_LONGEST = 65535 + 14 + 8;
// Frames in several pieces up to this length are copied together.
constexpr size_t COPY_MAX = 512;

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

inline void tx_header(const int32_t* rec, VnetHdr* hdr) {
  hdr->flags = static_cast<uint8_t>(rec[FR_FLAGS]);
  hdr->gso_type = static_cast<uint8_t>(rec[FR_GSO_TYPE]);
  hdr->gso_size = static_cast<uint16_t>(rec[FR_GSO_SIZE]);
  hdr->hdr_len = static_cast<uint16_t>(rec[FR_HDR_LEN]);
  hdr->csum_start = static_cast<uint16_t>(rec[FR_CSUM_START]);
  hdr->csum_offset = static_cast<uint16_t>(rec[FR_CSUM_OFFSET]);
  hdr->num_buffers = 0;
}

// A frame to send: its header and its pieces.
struct TxFrame {
  VnetHdr hdr;
  struct iovec pieces[IOV_MAX_FRAME];
  uint32_t n = 0;
  size_t len = 0;
  bool headroom = false;  // whether the first piece has room before it inside the slab

  // Fetches record `i`. Returns 0 or an errno.
  int gather(Batch& b, uint32_t i) {
    const int32_t* rec = b.w + FR_HDR + i * FR_STRIDE;
    n = static_cast<uint32_t>(rec[FR_NIOV]);
    len = 0;
    const uint32_t first = static_cast<uint32_t>(rec[FR_IOV]);
    if (n == 0 || n > IOV_MAX_FRAME || first > b.words || b.words - first < n * 2) return EINVAL;
    tx_header(rec, &hdr);
    for (uint32_t p = 0; p < n; p++) {
      const int32_t* pair = b.w + first + p * 2;
      uint8_t* at = b.at(pair[0], pair[1]);
      if (at == nullptr) return EFAULT;
      pieces[p] = {at, static_cast<uint32_t>(pair[1])};
      len += pieces[p].iov_len;
    }
    headroom = static_cast<uint32_t>(b.w[first]) >= sizeof hdr;
    return 0;
  }

  // Header and pieces in one place of hdrlen + len bytes. Returns that sum.
  size_t copy(uint8_t* to, uint32_t hdrlen) {
    memcpy(to, &hdr, hdrlen);
    size_t at = hdrlen;
    for (uint32_t p = 0; p < n; p++) {
      memcpy(to + at, pieces[p].iov_base, pieces[p].iov_len);
      at += pieces[p].iov_len;
    }
    return at;
  }

  // Header, which `own` keeps, and pieces as a vector of n + 1. Returns that sum.
  uint32_t vector(struct iovec* iov, VnetHdr* own, uint32_t hdrlen) {
    *own = hdr;
    iov[0] = {own, hdrlen};
    memcpy(iov + 1, pieces, n * sizeof *pieces);
    return n + 1;
  }
};

}  // namespace rumpuser

#endif
