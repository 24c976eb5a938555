package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// inFrontOf is a relay in front of a gateway that answers so.
func inFrontOf(t *testing.T, answer http.HandlerFunc) (*relay, *httptest.Server, *httptest.Server) {
	t.Helper()
	gateway := httptest.NewServer(answer)
	t.Cleanup(gateway.Close)
	r, own := relayTo(t, gateway.URL)
	return r, own, gateway
}

func relayTo(t *testing.T, gateway string) (*relay, *httptest.Server) {
	t.Helper()
	r := newRelay()
	r.listen, r.to, r.token, r.pause = "127.0.0.1:0", gateway, filepath.Join(t.TempDir(), "token"), time.Millisecond
	if err := r.check(); err != nil {
		t.Fatal(err)
	}
	if err := r.start(); err != nil {
		t.Fatal(err)
	}
	writeToken(t, r, "pod-token\n")
	own := httptest.NewServer(r)
	t.Cleanup(own.Close)
	return r, own
}

func writeToken(t *testing.T, r *relay, text string) {
	t.Helper()
	if err := os.WriteFile(r.token, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func ask(t *testing.T, url, body string) (int, string) {
	t.Helper()
	answer, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestTheGatewayGetsThePodsTokenAndNoKeyOfTheAgents(t *testing.T) {
	r, own, _ := inFrontOf(t, func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		fmt.Fprint(w, request.RequestURI, " ", request.Header.Get("Authorization"), " ", request.Header.Get("X-Api-Key"),
			request.Header.Get("X-Forwarded-For"), " ", request.Header.Get("Anthropic-Beta"), " ", string(body))
	})
	for _, token := range []string{"pod-token", "a newer one"} {
		writeToken(t, r, token+"\n")
		request, _ := http.NewRequest("POST", own.URL+"/claude/v1/a%2Fb?beta=true", strings.NewReader("question"))
		request.Header.Set("Authorization", "Bearer own key")
		request.Header.Set("X-Api-Key", "own key")
		request.Header.Set("Anthropic-Beta", "kept")
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if want := "/p/claude/v1/a%2Fb?beta=true Bearer " + token + "  kept question"; string(text) != want {
			t.Errorf("%q, not %q", text, want)
		}
	}
}

func TestAnAnswerComesAsItIsWritten(t *testing.T) {
	more := make(chan struct{})
	_, own, _ := inFrontOf(t, func(w http.ResponseWriter, request *http.Request) {
		fmt.Fprintln(w, "first")
		w.(http.Flusher).Flush()
		<-more
		fmt.Fprintln(w, "second")
	})
	answer, err := http.Post(own.URL+"/p/x", "", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewReader(answer.Body)
	// Were the answer kept back, this would wait for what is only written afterwards.
	if line, _ := lines.ReadString('\n'); line != "first\n" {
		t.Error(line)
	}
	close(more)
	if line, _ := lines.ReadString('\n'); line != "second\n" {
		t.Error(line)
	}
}

func TestAnAnswerThatIsCutIsCut(t *testing.T) {
	_, own, _ := inFrontOf(t, func(w http.ResponseWriter, request *http.Request) {
		fmt.Fprintln(w, "first")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	answer, err := http.Post(own.URL+"/p/x", "", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.ReadAll(answer.Body); err == nil {
		t.Error("it looks whole")
	}
}

func TestAGatewayThatWillKnowMoreIsAskedAgainWithTheSameBody(t *testing.T) {
	var asked atomic.Int64
	_, own, _ := inFrontOf(t, func(w http.ResponseWriter, request *http.Request) {
		if asked.Add(1) < 3 {
			w.Header().Set(askAgain, "1")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.Copy(w, request.Body)
	})
	if code, text := ask(t, own.URL+"/claude/v1", "question"); code != 200 || text != "question" {
		t.Error(code, text)
	}
}

func TestARefusalIsPassedOnAtOnce(t *testing.T) {
	var asked atomic.Int64
	_, own, _ := inFrontOf(t, func(w http.ResponseWriter, request *http.Request) {
		asked.Add(1)
		http.Error(w, "fenced", http.StatusUnauthorized)
	})
	if code, text := ask(t, own.URL+"/claude/v1", "question"); code != 401 || text != "fenced\n" || asked.Load() != 1 {
		t.Error(code, text, asked.Load())
	}
}

func TestAGatewayThatIsBeingReplacedIsWaitedFor(t *testing.T) {
	place, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	place.Close()
	r, own := relayTo(t, "http://"+place.Addr().String())
	answered := make(chan string, 1)
	go func() {
		code, text := ask(t, own.URL+"/claude/v1", "question")
		answered <- fmt.Sprint(code, text)
	}()
	for r.open.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	again, err := net.Listen("tcp", place.Addr().String())
	if err != nil {
		t.Skip("somebody took the port:", err)
	}
	defer again.Close()
	go func() {
		_ = http.Serve(again, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
			_, _ = io.Copy(w, request.Body)
		}))
	}()
	if got := <-answered; got != "200question" {
		t.Error(got)
	}
}

func TestAGatewayThatIsAwayIsTold(t *testing.T) {
	r, own, gateway := inFrontOf(t, nil)
	gateway.Close()
	r.patience = 0
	code, text := ask(t, own.URL+"/claude/v1", "question")
	if code != 502 || !strings.Contains(text, "the model gateway at "+r.gateway.Host+" did not answer") {
		t.Error(code, text)
	}
}

func TestNoPathLeadsOutOfTheProviders(t *testing.T) {
	_, own, _ := inFrontOf(t, func(w http.ResponseWriter, request *http.Request) { fmt.Fprint(w, request.RequestURI) })
	for _, path := range []string{"/../v1/grants", "/claude/%2e%2e/%2e%2e/v1/grants"} {
		request, _ := http.NewRequest("PUT", own.URL, nil)
		request.URL.Opaque = path
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != 400 {
			t.Error(path, answer.StatusCode)
		}
	}
}

func TestWhatTheRelayNeedsIsNamed(t *testing.T) {
	for _, args := range [][]string{
		{"--relay-listen", "0.0.0.0:80", "--relay-to", "http://gateway:80", "--relay-token", "t"},
		{"--relay-listen", "127.0.0.1:80", "--relay-to", "gateway", "--relay-token", "t"},
		{"--relay-listen", "127.0.0.1:80", "--relay-to", "http://gateway:80"},
	} {
		_, err := parse(append([]string{"--logs", "l", "--exit-file", "e"}, append(args, "--", "true")...), io.Discard)
		if err == nil || !strings.Contains(err.Error(), "--relay-") {
			t.Error(args, err)
		}
	}
}

func TestTheCommandFindsTheRelayAndIsNotIdleWhileItWaits(t *testing.T) {
	waited := make(chan struct{})
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		<-waited
		fmt.Fprint(w, "answered")
	}))
	defer gateway.Close()
	place, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	place.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("pod-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, "--idle-after", "1500ms", "--relay-listen", place.Addr().String(), "--relay-to", gateway.URL,
		"--relay-token", token, "--", os.Args[0], "http://"+place.Addr().String()+"/claude/v1")
	b.cmd.Env = append(b.cmd.Env, asAgent+"=1")
	time.AfterFunc(4*time.Second, func() { close(waited) })
	if code := b.run(); code != 0 || b.read("stdout.log") != "answered" {
		t.Fatalf("exit code %d, %s%s", code, b.read("exit.json"), b.read("stderr.log"))
	}
}

func TestAPortThatIsTakenIsTold(t *testing.T) {
	place, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer place.Close()
	b := newBench(t, "--relay-listen", place.Addr().String(), "--relay-to", "http://gateway:80", "--relay-token", "t",
		"--", "true")
	if code := b.run(); code != codeOwnFailure || !strings.Contains(b.read("stderr.log"), "requests to models") {
		t.Error(code, b.read("stderr.log"))
	}
}
