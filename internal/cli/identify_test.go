package cli

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"
)

func TestIdentify(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text, want string // ID stands for a new one
		given            bool
	}{
		{"no id", `{"amount": 12.50,"items":[]}`, `{"id":"ID","amount": 12.50,"items":[]}`, true},
		{"nothing at all", `{ }`, `{"id":"ID" }`, true},
		{"an amount no float can hold", `{"amount":999999999999.990}`, `{"id":"ID","amount":999999999999.990}`, true},
		{"an id", `{"amount":1e2, "id" : "mine"}`, `{"amount":1e2, "id" : "mine"}`, false},
		{"an empty id", `{"amount":1, "id" : "" , "a":2}`, `{"amount":1, "id" : "ID" , "a":2}`, true},
		{"id in other case is unknown to the API", `{"ID":"x"}`, `{"id":"ID","ID":"x"}`, true},
		{"id deeper down", `{"items":[{"id":"x"}]}`, `{"id":"ID","items":[{"id":"x"}]}`, true},
		{"an escaped name", `{"\u0069d":"mine"}`, `{"\u0069d":"mine"}`, false},
		{"an id of another type", `{"id":null}`, `{"id":null}`, false},
		{"the API is to see duplicates", `{"a":1,"a":2}`, `{"id":"ID","a":1,"a":2}`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			body, id, given, err := identify([]byte(tt.text))
			if err != nil || given != tt.given {
				t.Fatalf("given %v, %v", given, err)
			}
			got := string(body)
			if given {
				if u, err := uuid.Parse(id); err != nil || u.Version() != 7 {
					t.Errorf("id %q is no UUIDv7", id)
				}
				got = strings.Replace(got, id, "ID", 1)
			}
			if got != tt.want {
				t.Errorf("body %s, want %s", got, tt.want)
			}
		})
	}
}

func TestIdentifyRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		`{"a":1`: errNotJSON, `{"a":01}`: errNotJSON, `{} {}`: errNotJSON, `x`: errNotJSON,
		`[1]`: errNotObject, `null`: errNotObject, `"{}"`: errNotObject, `12.5`: errNotObject,
	} {
		if _, _, _, err := identify([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
}
