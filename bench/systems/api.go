package systems

import (
	"context"
	"net/http"
	"os"
	"regexp"
)

// listening finds the addresses of an API in its log.
var listening = regexp.MustCompile(`"addr":"([^"]+)","admin_addr":"([^"]+)"`)

// AwaitAPI waits until the process, an API that logs its addresses as ours does, is
// ready, and returns the address for its clients.
func (p *Process) AwaitAPI(ctx context.Context) (addr string, err error) {
	err = p.Await(ctx, "the API is ready", func() bool {
		text, _ := os.ReadFile(p.log)
		found := listening.FindSubmatch(text)
		if found == nil {
			return false
		}
		addr = string(found[1])
		return ready(ctx, "http://"+string(found[2])+"/readyz")
	})
	return addr, err
}

func ready(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
