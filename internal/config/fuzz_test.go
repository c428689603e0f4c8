package config_test

import (
	"errors"
	"testing"

	"orderprocessor/internal/config"
)

// FuzzLoad checks that no environment makes Load panic, that every error is an
// *Error, and that a configuration without one can be used.
func FuzzLoad(f *testing.F) {
	for i, b := range bounds() {
		f.Add(uint(i), b.good[0], "redis://u:hunter2@a:1/0?master_name=m&addr=b:2")
		f.Add(uint(i), b.bad[0], "redis://a?addr=b:2&pool_size=9")
	}
	f.Add(uint(0), "=\x00\xff", "unix://%zz?;")
	names := append(config.Names(), "ORDERS_", "")
	f.Fuzz(func(t *testing.T, which uint, value, redisURL string) {
		environ := []string{names[which%uint(len(names))] + "=" + value, value, "REDIS_URL=" + redisURL}
		_, errAPI := config.LoadAPI(environ)
		_, errWorker := config.LoadWorker(environ)
		_, worker, err := config.LoadAll(environ)
		var bad *config.Error
		if err != nil && (!errors.As(err, &bad) || len(bad.Problems) == 0) {
			t.Errorf("%T: %v", err, err)
		}
		if (errAPI != nil || errWorker != nil) && err == nil {
			t.Errorf("both together pass what one refuses: %v %v", errAPI, errWorker)
		}
		if err != nil {
			return
		}
		_ = worker.Redis.Client(config.Tuning{PoolSize: 1}).Close()
	})
}
