package clients_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"orderprocessor/internal/spectest"
)

// verdict says who should refuse a value.
type verdict int

const (
	nobody   verdict = iota
	everyone         // the API, Ajv and the kit of the tests alike
	words            // the API and the kit; the specification says so in words only
	apiAlone         // the API; the specification says so in words only
)

// probe is a request with one value in it, and the schema that the value has.
type probe struct {
	value  string // as JSON
	schema string
	refuse verdict

	method, path, body string
}

// TestAjvAgreesWithTheAPI compiles every schema of the published specification with Ajv,
// in strict mode, and compares three judges: Ajv, the kit that the tests
// judge by, and the API itself, on amounts, times, ids and texts that are made up.
func TestAjvAgreesWithTheAPI(t *testing.T) {
	t.Parallel()
	s := start(t)
	dir := s.folder(t, "node", "openapi.json")
	npmInstall(t, dir)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	m := &maker{Rand: rand.New(rand.NewPCG(seed, 0)), now: time.Now()}
	probes := m.probes()

	answers := strings.Split(strings.TrimSpace(s.run(t, dir, cases(t, probes), "node", "judge.mjs", "openapi.json")), "\n")
	if len(answers) != len(probes) {
		t.Fatalf("Ajv judged %d of %d values", len(answers), len(probes))
	}
	spec := spectest.Load(t)
	for i, p := range probes {
		answer := s.Send(p.method, p.path, p.body)
		code := answer.Code
		if got, want := code == http.StatusBadRequest || code == http.StatusNotFound, p.refuse != nobody; got != want || !got && code >= 300 {
			t.Errorf("the API answered %s with %d, should it refuse it: %t\n%.300s", p.value, code, want, answer.Body)
		}
		if got, want := answers[i] != "null", p.refuse == everyone; got != want {
			t.Errorf("Ajv says %s of %s, should it refuse it: %t", answers[i], p.value, want)
		}
		req := httptest.NewRequest(p.method, s.URL+p.path, strings.NewReader(p.body))
		if p.body != "" {
			req.Header.Set("Content-Type", "application/json")
		}
		err := spec.CheckRequest(req, []byte(p.body))
		if want := p.refuse == everyone || p.refuse == words; (err != nil) != want {
			t.Errorf("the kit says %v of %s, should it refuse it: %t", err, p.value, want)
		}
	}
}

// cases writes probes as judge.mjs reads them.
func cases(t *testing.T, probes []probe) string {
	t.Helper()
	var all strings.Builder
	for _, p := range probes {
		line, err := json.Marshal(map[string]string{"schema": p.schema, "text": p.value})
		if err != nil {
			t.Fatal(err)
		}
		all.Write(append(line, '\n'))
	}
	return all.String()
}

// maker makes up values.
type maker struct {
	*rand.Rand

	now time.Time
}

func (m *maker) probes() []probe {
	return append(append(m.amounts(), m.times()...), append(m.ids(), texts()...)...)
}

// submission probes one member of a submission.
func submission(member, value string, refuse verdict) probe {
	members := map[string]json.RawMessage{
		"amount": json.RawMessage("1"), "items": json.RawMessage(`["tea"]`),
		"customer": json.RawMessage(`"ada"`), "address": json.RawMessage(`"1 Example Road"`),
	}
	delete(members, member)
	rest, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	body := fmt.Sprintf(`{%q:%s,%s`, member, value, rest[1:]) // the value as it is written
	return probe{value: body, schema: "#/components/schemas/Submission", refuse: refuse, method: http.MethodPost, path: "/orders", body: body}
}

func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(quoted)
}

func (m *maker) amounts() []probe {
	var all []probe
	add := func(refuse verdict, values ...string) {
		for _, v := range values {
			all = append(all, submission("amount", v, refuse))
		}
	}
	add(nobody, "19.99", "0.29", "1.13", "8.69", "9.95", "0.01", "0.07", "12.5", "12.500", "125e-1", "1.25E+1", "1e11", "999999999999.99")
	add(everyone, "-1", "-0.01", "1000000000000", "1e12", "1e300", `"12.5"`, "null", "true", "[1]")
	add(apiAlone, "0", "0.00", "-0", "0.001", "1e-3", "12.505", "0.015", "999999999999.985")
	add(words, "0.0099", "0.010000001", "12.5055")
	for range 1000 {
		cents := 1 + m.Int64N(1_000_000)
		if m.IntN(4) == 0 {
			cents = 1 + m.Int64N(99_999_999_999_999)
		}
		add(nobody, fmt.Sprintf("%d.%02d", cents/100, cents%100))
		if m.IntN(4) == 0 {
			add(nobody, strconv.FormatInt(cents, 10)+"e-2")
			add(apiAlone, fmt.Sprintf("%d.%02d%d", cents/100%1_000_000, cents%100, 1+m.IntN(9)))
		}
	}
	return all
}

func (m *maker) times() []probe {
	var all []probe
	add := func(refuse verdict, value string) {
		filter := url.Values{"created_from": {value}}
		all = append(all, submission("process_at", quote(value), refuse),
			probe{value: quote(value), schema: "#/components/schemas/Time", refuse: refuse, method: http.MethodGet, path: "/orders?limit=1&" + filter.Encode()})
	}
	for _, value := range []string{
		"2024-02-29T12:00:00Z", "2024-02-29t12:00:00z", "1970-01-01T00:00:00Z", "2016-12-31T23:59:60Z", "2016-12-31T23:59:60.75z",
		"2017-01-01T05:29:60+05:30", "2016-12-31T15:59:60-08:00", "2024-01-01T00:00:00.123456789012345678901234567890Z",
		"2024-01-01T23:59:59+23:59", "2024-01-01T00:00:00-00:00",
	} {
		add(nobody, value)
	}
	for _, value := range []string{
		"", "yesterday", "2023-02-29T12:00:00Z", "2024-04-31T12:00:00Z", "2024-00-10T12:00:00Z", "2024-13-10T12:00:00Z", "2024-01-32T12:00:00Z",
		"2024-01-01T24:00:00Z", "2024-01-01T12:60:00Z", "2024-01-01T12:00:61Z", "2024-01-01T12:00:60Z", "2016-12-31T23:59:60+01:00",
		"2024-01-01T00:00:00+24:00", "2024-01-01T00:00:00+00:60", "2024-01-01T00:00:00+0100", "2024-01-01T00:00:00+01", "2024-01-01T00:00:00",
		"2024-01-01 00:00:00Z", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00,5Z", "2024-01-01T0:00:00Z", "2024-01-01T00:00Z", "2024-01-01",
		"20240101T000000Z", "+2024-01-01T00:00:00Z", "12024-01-01T00:00:00Z", "2024-01-01T00:00:00Z ", " 2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z\n",
		"2024-01-01T00:00:00 UTC", "1704067200",
	} {
		add(everyone, value)
	}
	for _, value := range []string{"0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00+01:00"} {
		add(apiAlone, value)
	}
	for range 300 {
		at := time.Unix(86_400+m.Int64N(m.now.Unix()), m.Int64N(1e9)).In(time.FixedZone("", 60*(m.IntN(2*1439+1)-1439)))
		layout := []string{time.RFC3339, "2006-01-02t15:04:05Z07:00", time.RFC3339Nano, "2006-01-02T15:04:05.0-07:00", "2006-01-02t15:04:05.000-07:00"}[m.IntN(5)]
		value := at.Format(layout)
		if m.IntN(3) == 0 {
			value = strings.ToLower(at.UTC().Format(layout))
		}
		add(nobody, value)
		add(everyone, value[:m.IntN(len("2006-01-02T15:04:05"))])
	}
	return all
}

func (m *maker) ids() []probe {
	const letters = "abcxyzABCXYZ0189._~:/#=@+-"
	var all []probe
	add := func(refuse verdict, id string) {
		all = append(all, submission("id", quote(id), refuse))
		if id == "" || strings.Trim(id, ".") == "" && len(id) < 3 || id == "batch" {
			return // the path is another
		}
		if refuse == everyone { // else it is there
			all = append(all, probe{
				value: quote(id), schema: "#/components/schemas/OrderId", refuse: refuse, method: http.MethodGet, path: "/orders/" + url.PathEscape(id),
			})
		}
	}
	used := map[string]bool{}
	for _, id := range []string{"a", "-", "_", "...", "....", ".a", "..a", "a.", "a..", "..-", ".-.", strings.Repeat(".", 128), strings.Repeat("x", 128), "a/b", "/", "a:b", "a~b", "a+b", "#", "=", "@"} {
		used[id] = true
		add(nobody, id)
	}
	for _, id := range []string{
		"", ".", "..", "a b", "a\\b", "a%2Fb", "é", "a\n", "\n", "a\u2028", "a\u200b", "🧺", "a,b", "a;b", "a*b", strings.Repeat(".", 129), strings.Repeat("x", 129),
	} {
		add(everyone, id)
	}
	for range 300 {
		id := m.text(letters, 1+m.IntN(64))
		if dots := id == "." || id == ".."; used[id] || dots {
			continue
		}
		used[id] = true
		add(nobody, id)
		cut := m.IntN(len(id))
		add(everyone, id[:cut]+string([]rune(" ,\\\"$&?é*\u00a0")[m.IntN(10)])+id[cut:])
	}
	return all
}

func (m *maker) text(letters string, length int) string {
	text := make([]byte, length)
	for i := range text {
		text[i] = letters[m.IntN(len(letters))]
	}
	return string(text)
}

// texts are what counts as empty, and what may not be in a text.
func texts() []probe {
	var all []probe
	for _, member := range []string{"customer", "address"} {
		for value, refuse := range map[string]verdict{
			"x": nobody, "größe 注文 🧺": nobody, " x ": nobody, "a\u00a0b": nobody, "a\u200db": nobody, "\u0301": nobody,
			"": everyone, " ": everyone, "\u00a0": everyone, "\u3000\u2003": everyone, "\ufeff": everyone, "a\u0000b": everyone, "a\u0085b": everyone, "\u007f": everyone,
			"\u200b": apiAlone, "\u2063\u00ad": apiAlone,
			strings.Repeat("🧺", 254): nobody, strings.Repeat("x", 1001): everyone,
		} {
			all = append(all, submission(member, quote(value), refuse))
		}
	}
	for _, value := range []string{"a\u202eb", "a\u2028b", "\u2066a"} {
		all = append(all, submission("customer", quote(value), apiAlone), submission("address", quote(value), nobody))
	}
	for _, value := range []string{"a\nb", "a\tb", "a\rb"} {
		all = append(all, submission("customer", quote(value), everyone), submission("address", quote(value), nobody))
	}
	return all
}
