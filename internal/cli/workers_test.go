package cli_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestWorkers(t *testing.T) {
	t.Parallel()
	const idle = `{"id":"b-2","host":"b","version":"","started_at":"2026-11-23T12:00:00.000000Z","heartbeat_age_seconds":9,"slots":64,"busy":0,"orders":[]}`
	many := make([]string, 22)
	for n := range many {
		many[n] = fmt.Sprintf(`{"id":"o%d","attempt":1,"running_seconds":%d.25}`, n, n)
	}
	runScripted(
		t,
		scripted{
			"workers", "workers",
			[]exchange{{"GET /workers", 503, away}, {"GET /workers", 200, `{"workers":[{"id":"a-1-X","host":"a","version":"v1 (go1.26)","started_at":"2026-11-23T11:00:00.123456Z",` +
				`"heartbeat_age_seconds":2,"slots":8,"busy":2,"orders":[{"id":"o1","attempt":3,"running_seconds":61.25},{"id":"o2","attempt":1,"running_seconds":0.5}]},` + idle + `]}`}},
			0,
			"worker   busy   slots   heartbeat   started                version\n" +
				"a-1-X    2      8       2 s ago     2026-11-23T11:00:00Z   v1 (go1.26)\n" +
				"b-2      0      64      9 s ago     2026-11-23T12:00:00Z   \n" +
				"\n" +
				"order   attempt   running   worker\n" +
				"o1      3         61.2 s    a-1-X\n" +
				"o2      1         0.5 s     a-1-X\n", "",
		},
		scripted{"none", "workers", []exchange{{"GET /workers", 200, `{"workers":[]}`}}, 0, "no worker is alive\n", ""},
		scripted{
			"as JSON", "workers -o json",
			[]exchange{{"GET /workers", 200, `{"workers":[` + idle + `]}`}},
			0,
			"{\n  \"workers\": [\n    {\n      \"id\": \"b-2\",\n      \"host\": \"b\",\n      \"version\": \"\",\n      \"started_at\": \"2026-11-23T12:00:00.000000Z\",\n" +
				"      \"heartbeat_age_seconds\": 9,\n      \"slots\": 64,\n      \"busy\": 0,\n      \"orders\": []\n    }\n  ]\n}\n", "",
		},
		scripted{"no API", "workers", []exchange{{"GET /workers", 200, `{}`}}, 1, "", "orderctl: get workers: " + notAPI},
	)
	busy := `{"workers":[{"id":"a","busy":23,"slots":64,"orders":[` + strings.Join(many, ",") + `]}]}`
	orderctl(t, "workers", "--api", answering(t, 200, busy)).mustExit(t, 0, `\no21 .*21\.2 s .*\n(.*\n){18}o2 .*\nand 3 orders that began later\n$`)
}
