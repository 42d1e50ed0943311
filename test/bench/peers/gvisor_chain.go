// Client, router and server as three stacks of gVisor's netstack in one process, joined by pipes that carry Ethernet. Prints "ready"; waits for a line,
// then prints the median round trip of COUNT UDP datagrams in us: gvisor_chain COUNT
package main

import (
	"bufio"
	"fmt"
	"os"
	"sort"
	"strconv"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/ethernet"
	"gvisor.dev/gvisor/pkg/tcpip/link/pipe"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

const (
	payload = 64
	port    = 7
	warm    = 3000
)

func must(err interface{}) {
	switch e := err.(type) {
	case nil:
	case error:
		fmt.Fprintln(os.Stderr, e)
		os.Exit(1)
	default:
		fmt.Fprintf(os.Stderr, "%v\n", e)
		os.Exit(1)
	}
}

func check(err tcpip.Error) {
	if err != nil {
		must(fmt.Errorf("%s", err))
	}
}

func newStack() *stack.Stack {
	return stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{arp.NewProtocol, ipv4.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{udp.NewProtocol},
	})
}

func plug(s *stack.Stack, nic tcpip.NICID, ep stack.LinkEndpoint, a tcpip.Address) {
	check(s.CreateNIC(nic, ethernet.New(ep)))
	check(s.AddProtocolAddress(nic, tcpip.ProtocolAddress{
		Protocol:          ipv4.ProtocolNumber,
		AddressWithPrefix: tcpip.AddressWithPrefix{Address: a, PrefixLen: 24},
	}, stack.AddressProperties{}))
}

func subnet(a tcpip.Address) tcpip.Subnet {
	return (&tcpip.AddressWithPrefix{Address: a, PrefixLen: 24}).Subnet()
}

func main() {
	count, err := strconv.Atoi(os.Args[1])
	must(err)
	const (
		ca, r1 = tcpip.Address("\x0a\x01\x00\x02"), tcpip.Address("\x0a\x01\x00\x01")
		sa, r2 = tcpip.Address("\x0a\x02\x00\x02"), tcpip.Address("\x0a\x02\x00\x01")
	)
	client, router, server := newStack(), newStack(), newStack()
	c1, p1 := pipe.New("\x02\x00\x00\x00\x00\x01", "\x02\x00\x00\x00\x00\x02", 1500+header.EthernetMinimumSize)
	p2, s1 := pipe.New("\x02\x00\x00\x00\x00\x03", "\x02\x00\x00\x00\x00\x04", 1500+header.EthernetMinimumSize)
	plug(client, 1, c1, ca)
	plug(router, 1, p1, r1)
	plug(router, 2, p2, r2)
	plug(server, 1, s1, sa)
	_, ferr := router.SetForwardingDefaultAndAllNICs(ipv4.ProtocolNumber, true), error(nil)
	must(ferr)
	client.SetRouteTable([]tcpip.Route{{Destination: subnet(ca), NIC: 1}, {Destination: header.IPv4EmptySubnet, Gateway: r1, NIC: 1}})
	router.SetRouteTable([]tcpip.Route{{Destination: subnet(r1), NIC: 1}, {Destination: subnet(r2), NIC: 2}})
	server.SetRouteTable([]tcpip.Route{{Destination: subnet(sa), NIC: 1}, {Destination: header.IPv4EmptySubnet, Gateway: r2, NIC: 1}})

	listen, err := gonet.DialUDP(server, &tcpip.FullAddress{NIC: 1, Addr: sa, Port: port}, nil, ipv4.ProtocolNumber)
	must(err)
	go func() {
		buf := make([]byte, 2048)
		for {
			n, from, err := listen.ReadFrom(buf)
			must(err)
			_, err = listen.WriteTo(buf[:n], from)
			must(err)
		}
	}()
	conn, err := gonet.DialUDP(client, nil, &tcpip.FullAddress{NIC: 1, Addr: sa, Port: port}, ipv4.ProtocolNumber)
	must(err)
	fmt.Println("ready")
	orders := bufio.NewScanner(os.Stdin)
	buf := make([]byte, 2048)
	took := make([]float64, count)
	for orders.Scan() {
		for n := -warm; n < count; n++ {
			start := time.Now()
			_, err = conn.Write(buf[:payload])
			must(err)
			_, err = conn.Read(buf)
			must(err)
			if n >= 0 {
				took[n] = float64(time.Since(start).Nanoseconds()) / 1000
			}
		}
		sort.Float64s(took)
		fmt.Printf("%.3f\n", took[count/2])
	}
}
