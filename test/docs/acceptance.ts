// NetBSD's own network tests that run on rump kernels: core network, the interfaces there are here, and remote clients. The list is theirs; what is missing here says why.

/** One test file of NetBSD's. */
export interface AcceptanceFile {
  /** Its path below tests/, and the title of our suite. */
  readonly file: string;
  /** What it verifies. */
  readonly about: string;
  /** Names of its cases. */
  readonly cases: readonly string[];
  /** Why a case has no test yet; "*" for all others. */
  readonly missing?: Readonly<Record<string, string>>;
}

const TCP = "needs TCP";
const IPV6 = "needs IPv6";

function each(prefix: string, ...names: readonly string[]): string[] {
  return names.map((name) => `${prefix}${name}`);
}

const LOADS: readonly string[] = ["b", "h", "w"].flatMap((size) => [
  `ld${size}_abs_overflow`,
  ...each(`ld${size}_ind_overflow`, "1", "2", "3"),
]);

/** The list. */
export const ACCEPTANCE: readonly AcceptanceFile[] = [
  {
    file: "net/net/t_forwarding",
    about: "forwarding on and off, next hops, TTL, the fast path, directed broadcast",
    cases: each("ipforwarding_", "v4", "v6", "fastforward_v4", "fastforward_v6", "misc"),
    missing: { ipforwarding_v6: IPV6, ipforwarding_fastforward_v6: IPV6 },
  },
  {
    file: "net/net/t_ipaddress",
    about: "adding and deleting an address twice",
    cases: each("ipaddr_", "same_address", "same_address6", "auto_linklocal"),
    missing: { "*": IPV6 },
  },
  {
    file: "net/net/t_ipv6address",
    about: "link-local addresses",
    cases: ["linklocal", "linklocal_ops"],
    missing: { "*": IPV6 },
  },
  { file: "net/net/t_ipv6_lifetime", about: "lifetimes of addresses", cases: ["basic"], missing: { "*": IPV6 } },
  {
    file: "net/net/t_mtudisc",
    about: "path MTU discovery",
    cases: ["mtudisc_basic", "mtudisc_timeout"],
    missing: { "*": TCP },
  },
  { file: "net/net/t_mtudisc6", about: "path MTU discovery", cases: ["mtudisc6_basic"], missing: { "*": IPV6 } },
  {
    file: "net/net/t_ping_opts",
    about: "frames carry what ping's options ask for",
    cases: each("ping_opts_", "sourceaddr", "gateway", "recordroute"),
  },
  {
    file: "net/net/t_ping6_opts",
    about: "the same for ping6",
    cases: each("ping6_opts_", "sourceaddr", "interface", "gateway", "hops"),
    missing: { "*": IPV6 },
  },
  {
    file: "net/net/t_tcp",
    about: "non-blocking flag of accepted sockets",
    cases: ["paccept_reset_nonblock", "fcntl_reset_nonblock", "paccept_nonblock"],
    missing: { "*": TCP },
  },
  {
    file: "net/net/t_udp",
    about: "connected and unconnected sends",
    cases: ["udp4_send", "udp6_send"],
    missing: { "*": IPV6 },
  },
  {
    file: "net/net/t_unix",
    about: "PF_LOCAL addresses, peer identity",
    cases: each("sockaddr_un_", "len_exceed", "len_max", "closed", "local_peereid", "fstat"),
  },
  { file: "net/net/t_raw", about: "fstat on a raw socket", cases: ["PRU_SENSE"] },
  { file: "net/net/t_pktinfo", about: "IP_RECVPKTINFO", cases: ["pktinfo"] },
  {
    file: "net/net/t_pktinfo_send",
    about: "IP_PKTINFO chooses source and interface",
    cases: each(
      "pktinfo_send_",
      "unbound",
      "bindany",
      "bindaddr",
      "bindport",
      "bindaddrport",
      "bindother",
      "connected",
      "notown",
      "notown_bind",
      "rawip",
      "rawip_notown",
      "invalidarg",
      "ifindex",
      "multicast",
    ),
  },
  { file: "net/net/t_bind", about: "IP_BINDANY", cases: ["bindany_4", "bindany_6"], missing: { "*": IPV6 } },
  {
    file: "net/net/t_mapped",
    about: "v4-mapped connections",
    cases: ["mapped_4_4", "mapped_6_4", "mapped_6_6"],
    missing: { "*": IPV6 },
  },
  {
    file: "net/net/t_ip_reass",
    about: "bad fragments are counted and dropped",
    cases: each("ip_reass__", "multiple_last_fragments", "zero_length_fragment", "large_fragment"),
  },
  {
    file: "net/net/t_socket_afinet",
    about: "socket, bind, POLLRDHUP",
    cases: ["socket_afinet", ...each("socket_afinet_", "bind_zero", "bind_ok", "poll_no_rdhup", "poll_rdhup")],
    missing: { "*": TCP },
  },
  {
    file: "net/tcp/t_tcp_nc",
    about: "transfers with small buffers",
    cases: each("tcp_nc_", "econnrefused", "rcvbuf", "small_rcvbuf", "sndbuf", "small_sndbuf", "md5sig"),
    missing: { "*": TCP },
  },
  {
    file: "net/tcp/t_tcp_shutdown",
    about: "calls after shutdown",
    cases: each("tcp_shutdown_", "bind", "connect", "getsockname", "listen", "setsockopt", "shutdown"),
    missing: { "*": TCP },
  },
  {
    file: "net/tcp/t_tcp_connect_port",
    about: "connects never use the server's port",
    cases: ["basic_ipv4", "basic_ipv6"],
    missing: { "*": TCP },
  },
  {
    file: "net/inpcb/t_inpcb_bind",
    about: "who may bind where",
    cases: ["inpcb_bind_ipv4", "inpcb_bind_ipv6"],
    missing: { "*": IPV6 },
  },
  { file: "net/inpcb/t_broadcast_bind", about: "broadcast and foreign addresses", cases: ["broadcast_bind_basic"] },
  {
    file: "net/sys/t_rfc6056",
    about: "ports of the system's choice are random",
    cases: ["inet4", "inet6"],
    missing: { "*": IPV6 },
  },
  {
    file: "net/sys/t_connect",
    about: "connecting from a low port",
    cases: ["connect_low_port"],
    missing: { "*": TCP },
  },
  { file: "net/sys/t_listen", about: "listening on a low port", cases: ["listen_low_port"], missing: { "*": TCP } },
  {
    file: "net/sys/t_socketpair",
    about: "flags of socketpair",
    cases: each("socketpair_", "basic", "nonblock", "cloexec"),
  },
  {
    file: "net/icmp/t_ping",
    about: "echo of every size, floods, ping of death",
    cases: ["simpleping", "floodping", "floodping2", "pingsize", "ping_of_death"],
  },
  { file: "net/icmp/t_forward", about: "bytes quoted in errors", cases: ["returndatabytes"] },
  { file: "net/icmp/t_ping2", about: "ping through a router", cases: ["basic"] },
  {
    file: "net/icmp/t_icmp_redirect",
    about: "redirects make routes that time out",
    cases: ["icmp_redirect", "icmp_redirect_timeout"],
  },
  {
    file: "net/icmp/t_icmp6_redirect",
    about: "the same for ICMPv6",
    cases: ["icmp6_redirect_basic"],
    missing: { "*": IPV6 },
  },
  {
    file: "net/arp/t_arp",
    about: "the life of ARP entries",
    cases: each(
      "arp_",
      "cache_expiration_5s",
      "cache_expiration_10s",
      "command",
      "garp",
      "garp_without_dad",
      "cache_overwriting",
      "proxy_arp_pub",
      "proxy_arp_pubproxy",
      "link_activation",
      "static",
      "rtm",
      "purge_on_route_change",
      "purge_on_route_delete",
      "purge_on_ifdown",
      "stray_entries",
    ),
  },
  { file: "net/arp/t_dad", about: "duplicate address detection", cases: ["dad_basic", "dad_duplicated"] },
  {
    file: "net/ndp/t_ndp",
    about: "the life of neighbour entries",
    cases: each(
      "ndp_",
      "cache_expiration",
      "commands",
      "cache_overwriting",
      "neighborgcthresh",
      "link_activation",
      "rtm",
      "purge_on_route_change",
      "purge_on_route_delete",
      "purge_on_ifdown",
      "stray_entries",
    ),
    missing: { "*": IPV6 },
  },
  {
    file: "net/ndp/t_dad",
    about: "duplicate address detection",
    cases: ["dad_basic", "dad_duplicated", "dad_count"],
    missing: { "*": IPV6 },
  },
  {
    file: "net/ndp/t_ra",
    about: "router advertisements",
    cases: each(
      "ra_",
      "basic",
      "flush_prefix_entries",
      "flush_defrouter_entries",
      "delete_address",
      "multiple_routers",
      "multiple_routers_single_prefix",
      "multiple_routers_maxifprefixes",
      "temporary_address",
      "defrouter_expiration",
      "prefix_expiration",
    ),
    missing: { "*": IPV6 },
  },
  {
    file: "net/route/t_change",
    about: "route change keeps what it does not name",
    cases: each("route_change_", "reject2blackhole", "gateway", "ifa", "ifp", "ifp_ifa", "flags", "default_flags"),
  },
  {
    file: "net/route/t_flags",
    about: "letters of netstat -r and their meaning",
    cases: each(
      "route_flags_",
      "lo",
      "connected",
      "default_gateway",
      "static",
      "blackhole",
      "reject",
      "icmp_redirect",
      "announce",
    ),
  },
  {
    file: "net/route/t_flags6",
    about: "the same for IPv6",
    cases: each(
      "route_flags_",
      "lo6",
      "connected6",
      "default_gateway6",
      "static6",
      "blackhole6",
      "reject6",
      "announce6",
    ),
    missing: { "*": IPV6 },
  },
  {
    file: "net/route/t_route",
    about: "gateways off our networks, route get and add",
    cases: ["route_non_subnet_gateway", ...each("route_command_", "get", "get6", "add")],
    missing: { "*": IPV6 },
  },
  {
    file: "net/route/t_rtcache",
    about: "cached next hops are dropped",
    cases: ["rtcache_invalidation"],
  },
  {
    file: "net/if/t_ifconfig",
    about: "ifconfig's words and options",
    cases: each("ifconfig_", "create_destroy", "options", "parameters", "up_down_ipv4"),
  },
  { file: "net/if/t_ifconf", about: "SIOCGIFCONF", cases: ["basic"] },
  { file: "net/if/t_compat", about: "an ioctl from before sa_len", cases: ["OOSIOCGIFBRDADDR"] },
  { file: "net/if_loop/t_basic", about: "lo1", cases: ["loop_create_destroy"] },
  { file: "net/if_loop/t_pr", about: "packets larger than lo0's MTU", cases: ["loopmtu", "loopmtu_csum"] },
  {
    file: "net/in_cksum/t_in_cksum",
    about: "checksums of chains",
    cases: ["mbufs_aligned", "mbufs_unaligned", "sizes_aligned", "sizes_unaligned"],
  },
  {
    file: "net/mcast/t_mcast",
    about: "join, send, receive",
    cases: each(
      "mcast_",
      "conninet4",
      "connmappedinet4",
      "connmappedbuginet4",
      "conninet6",
      "unconninet4",
      "unconnmappedinet4",
      "unconnmappedbuginet4",
      "unconninet6",
    ),
    missing: { "*": IPV6 },
  },
  {
    file: "net/fdpass/t_fdpass",
    about: "SCM_RIGHTS",
    cases: each("fdpass_", "normal", "compat", "compat_normal", "normal_compat"),
    missing: { "*": "is about programs of another ABI" },
  },
  { file: "net/if_shmif/t_shmif", about: "link state", cases: ["shmif_linkstate", "shmif_linkstate_down"] },
  { file: "rump/rumpnet/t_shmif", about: "8 kernels on one bus ping all pairs", cases: ["crossping"] },
  {
    file: "net/bpf/t_bpf",
    about: "the ioctls of bpf(4), and writes",
    cases: ["bpfwriteleak", "bpfwritetrunc", ...each("bpf_ioctl_", "BLEN", "PROMISC", "SETIF", "DLT", "GDLTLIST")],
  },
  { file: "net/bpf/t_div-by-zero", about: "a filter that divides by zero", cases: ["div_by_zero"] },
  {
    file: "net/bpf/t_mbuf",
    about: "loads from chains of mbufs",
    cases: each(
      "bpf_mbuf_",
      "ldb_abs",
      "ldh_abs",
      "ldw_abs",
      "ldb_ind",
      "ldh_ind",
      "ldw_ind",
      "msh",
      ...LOADS,
      "msh_overflow",
    ),
  },
  {
    file: "net/bpfilter/t_bpfilter",
    about: "filters at work, and those that are refused",
    cases: each("bpfilter", "contig", "mchain", "badmem", "noinitA", "noinitX", "badjmp", "negjmp", "badret"),
  },
  {
    file: "rump/rumpkern/t_sp",
    about: "remote clients",
    cases: [
      "basic",
      "stress_short",
      "stress_long",
      "stress_killer",
      "fork_simple",
      "fork_pipecomm",
      "fork_fakeauth",
      "sigsafe",
      "signal",
      "reconnect",
    ],
    missing: { fork_pipecomm: "needs pipe(2)", "*": "needs signals of rump processes" },
  },
];
