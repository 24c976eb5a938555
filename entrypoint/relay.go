package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// maxRepeated is the largest body that is kept to be sent again; what models take is less.
	maxRepeated = 32 << 20
	// askAgain is the header of an answer by which the gateway says that the same request will fare better in a moment.
	askAgain = "Autopack-Ask-Again"
)

// keyHeaders are where agents put their keys. Whatever they send there is not for the gateway.
var keyHeaders = []string{"Authorization", "X-Api-Key", "Api-Key", "X-Goog-Api-Key", "Proxy-Authorization", "Cookie"}

// relay passes requests of the command on to the model gateway, and proves by the pod's token whose they are. The
// command needs no key, and reaches no other address by it.
type relay struct {
	listen, to, token string
	patience, pause   time.Duration
	gateway           *url.URL
	transport         http.RoundTripper
	asked, open       atomic.Int64
}

func newRelay() *relay { return &relay{patience: 30 * time.Second, pause: 250 * time.Millisecond} }

// check looks at what flags say. Without --relay-listen there is no relay.
func (r *relay) check() error {
	if r.listen == "" {
		return nil
	}
	address, err := net.ResolveTCPAddr("tcp", r.listen)
	if err != nil || !address.IP.IsLoopback() {
		return fmt.Errorf("--relay-listen %q is not of the form 127.0.0.1:port", r.listen)
	}
	r.gateway, err = url.Parse(r.to)
	if err != nil || (r.gateway.Scheme != "http" && r.gateway.Scheme != "https") || r.gateway.Host == "" {
		return fmt.Errorf("--relay-to %q is not of the form http://host:port", r.to)
	}
	if r.token == "" {
		return errors.New("--relay-token is missing: name the file with the pod's token")
	}
	return nil
}

// start listens before the command can ask for anything. The process ends it.
func (r *relay) start() error {
	if r.listen == "" {
		return nil
	}
	listener, err := net.Listen("tcp", r.listen)
	if err != nil {
		return fmt.Errorf("cannot listen for the command's requests to models: %w", err)
	}
	// No Proxy: it would be that of the command's environment.
	r.transport = &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 5 * time.Second}).DialContext,
		DisableCompression:  true,
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     30 * time.Second,
	}
	go func() { _ = http.Serve(listener, r) }()
	return nil
}

// ServeHTTP passes one request on, and its answer back as it comes.
func (r *relay) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.open.Add(1)
	r.asked.Add(1)
	defer r.open.Add(-1)
	if request.Method == http.MethodConnect || hasDots(request.URL.Path) {
		tell(w, http.StatusBadRequest, "invalid_request_error", "ask for /<provider>/<path of its API>")
		return
	}
	if err := keepBody(request); err != nil {
		tell(w, http.StatusBadRequest, "invalid_request_error", "the request was cut short")
		return
	}
	proxy := httputil.ReverseProxy{
		Director:      r.direct,
		Transport:     r,
		FlushInterval: -1,
		ErrorHandler:  r.failed,
		// An agent that goes away in the middle is no news, and this is its own log.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	proxy.ServeHTTP(w, request)
}

func hasDots(path string) bool {
	for _, part := range strings.Split(path, "/") {
		if part == "." || part == ".." {
			return true
		}
	}
	return false
}

// keepBody reads a body of a known size, so that it can be sent again; another one streams, and is sent once.
func keepBody(request *http.Request) error {
	if request.ContentLength < 0 || request.ContentLength > maxRepeated {
		return nil
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return err
	}
	request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	return nil
}

// direct turns /<provider>/… into the gateway's /p/<provider>/…, whatever host the request names.
func (r *relay) direct(request *http.Request) {
	escaped := request.URL.EscapedPath()
	request.URL.Scheme, request.URL.Host, request.Host = r.gateway.Scheme, r.gateway.Host, r.gateway.Host
	request.URL.Path, request.URL.RawPath = "/p"+request.URL.Path, "/p"+escaped
	request.URL.User = nil
	// A nil value keeps the proxy from adding its own.
	request.Header["X-Forwarded-For"] = nil
}

// RoundTrip asks the gateway, and again while it cannot be reached or says that it will know more in a moment: a pod may
// be faster than the word of it, and of two gateways one takes over from the other.
func (r *relay) RoundTrip(request *http.Request) (*http.Response, error) {
	until := time.Now().Add(r.patience)
	for {
		answer, err := r.once(request)
		if !mayAskAgain(request, answer, err) || time.Now().After(until) {
			return answer, err
		}
		if answer != nil {
			answer.Body.Close()
		}
		select {
		case <-request.Context().Done():
			return nil, request.Context().Err()
		case <-time.After(r.pause):
		}
	}
}

func (r *relay) once(request *http.Request) (*http.Response, error) {
	token, err := os.ReadFile(r.token)
	if err != nil {
		return nil, fmt.Errorf("cannot read the pod's token: %w", err)
	}
	own := request.Clone(request.Context())
	for _, name := range keyHeaders {
		own.Header.Del(name)
	}
	own.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	if request.GetBody != nil {
		own.Body, _ = request.GetBody()
	} else if request.Body != nil {
		// A connection that is refused would close it.
		own.Body = io.NopCloser(request.Body)
	}
	return r.transport.RoundTrip(own)
}

// mayAskAgain is true where nothing of the request has been acted upon.
func mayAskAgain(request *http.Request, answer *http.Response, err error) bool {
	var unreached *net.OpError
	if err != nil {
		return errors.As(err, &unreached) && unreached.Op == "dial"
	}
	return answer.Header.Get(askAgain) != "" && request.GetBody != nil
}

func (r *relay) failed(w http.ResponseWriter, _ *http.Request, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	tell(w, http.StatusBadGateway, "api_error", fmt.Sprintf("the model gateway at %s did not answer: %v", r.gateway.Host, err))
}

// tell answers in the form that clients of model APIs know.
func tell(w http.ResponseWriter, status int, kind, message string) {
	body, _ := json.Marshal(map[string]any{
		"type": "error", "error": map[string]string{"type": kind, "message": message},
	})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
