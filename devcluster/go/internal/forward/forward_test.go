package forward

import (
	"io"
	"net"
	"testing"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

func TestTheAnswerArrivesAfterTheClientHasFinishedSending(t *testing.T) {
	server, front := listen(t), listen(t)
	go func() {
		connection, err := server.Accept()
		if err != nil {
			return
		}
		defer connection.Close()
		question, _ := io.ReadAll(connection) // ends only when the client's end of sending is handed on
		_, _ = connection.Write(append([]byte("re: "), question...))
	}()
	go func() { _ = Serve(front, server.Addr().String()) }()

	client, err := net.Dial("tcp", front.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_, _ = client.Write([]byte("question"))
	_ = client.(*net.TCPConn).CloseWrite()
	if answer, err := io.ReadAll(client); err != nil || string(answer) != "re: question" {
		t.Fatalf("%q, %v", answer, err)
	}
}

func TestAClientIsClosedWhenTheTargetDoesNotListen(t *testing.T) {
	gone, front := listen(t), listen(t)
	gone.Close()
	go func() { _ = Serve(front, gone.Addr().String()) }()
	client, err := net.Dial("tcp", front.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(client); err != nil || len(got) != 0 {
		t.Fatalf("%q, %v", got, err)
	}
}
