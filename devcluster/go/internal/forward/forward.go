// Package forward joins TCP connections of one address to another one. Pods use it to reach the API server, which
// listens on the loopback interface only.
package forward

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync"
)

// Main runs `forward LISTEN TARGET` (both host:port) until it is killed.
func Main(args []string) int {
	if len(args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: forward LISTEN TARGET (both host:port)")
		return 2
	}
	listener, err := net.Listen("tcp", args[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, "forward:", err)
		return 1
	}
	fmt.Printf("forwarding %s to %s\n", args[0], args[1])
	if err := Serve(listener, args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "forward:", err)
		return 1
	}
	return 0
}

// Serve accepts connections until the listener fails; each is joined to a new connection to target.
func Serve(listener net.Listener, target string) error {
	for {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		go join(client.(*net.TCPConn), target)
	}
}

func join(client *net.TCPConn, target string) {
	defer client.Close()
	dialed, err := net.Dial("tcp", target)
	if err != nil {
		return // the client sees its connection closed, as it would from a server that is restarting
	}
	server := dialed.(*net.TCPConn)
	defer server.Close()

	var both sync.WaitGroup
	both.Go(func() { copyHalf(server, client) })
	both.Go(func() { copyHalf(client, server) })
	both.Wait()
}

// copyHalf hands on the end of one direction without closing the other: a client may finish sending and still read.
func copyHalf(to, from *net.TCPConn) {
	_, _ = io.Copy(to, from)
	_ = to.CloseWrite()
}
