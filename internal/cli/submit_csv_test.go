package cli

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"orderprocessor/internal/order"
)

// readCSV writes each order of a file as readEntries does.
func readCSV(file io.Reader, mapping string) (got []string, size int64, err error) {
	var m csvMapping
	if mapping != "" {
		if m, err = parseMapping([]byte(mapping)); err != nil {
			return nil, 0, err
		}
	}
	in, err := newCSVInput(file, m)
	if errors.Is(err, io.EOF) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	return entriesOf(in)
}

const (
	plainHeader = "id,amount,item,customer\n"
	ordered     = `{"amount":5,"customer":"ada","id":"a","items":["tea"]}`
)

func TestCSV(t *testing.T) {
	t.Parallel()
	all := "id,amount,currency,customer,address,country,priority,notes,process_at,item.name,item.sku,item.quantity,item.unit_price,metadata.a\n" +
		"a,999999999999.990,EUR, ada ,\"1 Road\r\n2 Town\",DE,1,\"say \"\"hi\"\"\",2026-11-23T12:00:00Z,tea,T-1,2,1e1,x\n"
	for _, tt := range []struct {
		name, file, mapping string
		want                []string
		err                 string
	}{
		{name: "nothing"},
		{name: "a header only", file: plainHeader},
		{name: "a row", file: plainHeader + "a,5,tea,ada\n", want: []string{`2 ` + ordered}},
		{name: "byte order mark, CRLF and a blank line", file: "\uFEFFid,amount,item,customer\r\n\r\na,5,tea,ada\r\n", want: []string{`3 ` + ordered}},
		{name: "semicolons", file: "id;amount;item;customer\na;5;tea;ada", want: []string{`2 ` + ordered}},
		{name: "tabs", file: "id\tamount\titem\t\"customer\"\na\t5\ttea\tada", want: []string{`2 ` + ordered}},
		{name: "every field", file: all, want: []string{
			`2 {"address":"1 Road\n2 Town","amount":999999999999.990,"country":"DE","currency":"EUR","customer":"ada","id":"a",` +
				`"items":[{"name":"tea","quantity":2,"sku":"T-1","unit_price":1e1}],"metadata":{"a":"x"},"notes":"say \"hi\"","priority":1,"process_at":"2026-11-23T12:00:00Z"}`,
		}},
		{name: "without ids each row is an order", file: "amount,item,customer\n5,tea,ada\n5,tea,ada\n", want: []string{
			`2 {"amount":5,"customer":"ada","items":["tea"]}`, `3 {"amount":5,"customer":"ada","items":["tea"]}`,
		}},
		{name: "rows of one order", file: "id,amount,item.name,customer,item.quantity\na,5,tea,ada,\na,,milk,,2\na,5,rum,ada,\nb,6,ale,eve,3\n,7,gin,eve,\n,8,gin,eve,\n", want: []string{
			`2 {"amount":5,"customer":"ada","id":"a","items":["tea",{"name":"milk","quantity":2},"rum"]}`,
			`5 {"amount":6,"customer":"eve","id":"b","items":[{"name":"ale","quantity":3}]}`,
			`6 {"amount":7,"customer":"eve","items":["gin"]}`, `7 {"amount":8,"customer":"eve","items":["gin"]}`,
		}},
		{name: "rows that contradict each other", file: plainHeader + "b,1,tea,eve\na,5,tea,ada\na,6,milk,\na,,rum,\nc,1,tea,eve\n", want: []string{
			`2 {"amount":1,"customer":"eve","id":"b","items":["tea"]}`,
			`4 amount is "6", and "5" in line 3, which is of the same order`, `6 {"amount":1,"customer":"eve","id":"c","items":["tea"]}`,
		}},
		{name: "bad cells", file: "id,amount,item,customer,priority\nb,\"12,50\",tea,ada,high\na,5,tea,ada,\n", want: []string{
			`2 amount must be a number such as 1234.50, not "12,50"; priority must be a number such as 1234.50, not "high"`, `3 ` + ordered,
		}},
		{name: "Latin-1", file: plainHeader + "b,5,tea,Zo\xeb\na,5,tea,ada\n", want: []string{`2 customer ` + errNotUTF8.Error(), `3 ` + ordered}},
		{name: "NUL is for the API to refuse", file: plainHeader + "b,5,t\x00,ada\n", want: []string{`2 {"amount":5,"customer":"ada","id":"b","items":["t\u0000"]}`}},
		{name: "ragged rows", file: plainHeader + "b,5\na,5,tea,ada\nc,5,tea,ada,1\n", want: []string{
			`2 has 2 columns, and the header has 4`, `3 ` + ordered, `4 has 5 columns, and the header has 4`,
		}},
		{name: "a bad row refuses its order only", file: plainHeader + "b,5,tea,ada\nb,,5\" pipe,\na,5,tea,ada\n", want: []string{
			`3 is not valid CSV: bare " in non-quoted-field in column 5`, `4 ` + ordered,
		}},
		{name: "a row of unknown order refuses those beside it", file: plainHeader + "b,1,tea,eve\nx\"\nc,1,tea,eve\na,5,tea,ada\n", want: []string{
			`3 is not valid CSV: bare " in non-quoted-field in column 2`,
			`4 follows line 3, which cannot be read and may belong to the same order`, `5 ` + ordered,
		}},
		{name: "a row of unknown order comes first", file: plainHeader + "x\"\nc,1,tea,eve\na,5,tea,ada\n", want: []string{
			`2 is not valid CSV: bare " in non-quoted-field in column 2`, `4 ` + ordered,
		}},
		{name: "a quote is not closed", file: plainHeader + "c,5,tea,ada\na,\"5,tea,ada\nb,5,tea,ada\n", want: []string{
			`2 may not be complete, as the file cannot be read further`,
		}, err: "line 3: " + errRows.Error()},
		{name: "a quote is not closed in a long file", file: plainHeader + "a,\"5,tea,ada\n" + strings.Repeat("b,5,tea,ada\n", maxRowBytes/8), err: "longer than 1024 KiB"},
		{name: "an order is too long", file: plainHeader + "b,5," + strings.Repeat("x", maxOrderBytes) + ",ada\na,5,tea,ada\n", want: []string{`2 ` + tooLongText, `3 ` + ordered}},

		{name: "unknown column", file: "id,Total\n", err: `"Total" is not a field of an order; the fields are id, amount, currency, `},
		{name: "a field twice", file: "id,item,item.name\n", err: "item.name is there twice"},
		{name: "a column is missing", file: "id,amount,item\n", err: "customer has no column; the columns are id, amount, item"},
		{name: "a bad quote in the header", file: "id,a\"b\n", err: "line 1: "},
		{
			name: "mapping", file: "No,Total,First,Last,Thing,Street,City,Other\n7,5,Ada,L,tea,1 Road,,x\n",
			mapping: "id: No\namount: Total\ncustomer: [First, Last]\nitem: Thing\naddress: [Street, City]\nmetadata.from: {value: export}\n",
			want:    []string{`2 {"address":"1 Road","amount":5,"customer":"Ada L","id":"7","items":["tea"],"metadata":{"from":"export"}}`},
		},
		{name: "mapping in JSON", file: "No,Total,Who,Thing\na,5,ada,tea\n", mapping: `{"id":"No","amount":"Total","customer":"Who","item":"Thing"}`, want: []string{`2 ` + ordered}},
		{name: "mapping of a missing column", file: "No,Total\n", mapping: "amount: Price", err: `there is no column "Price" for amount; the columns are No, Total`},
		{name: "mapping of a column that is there twice", file: "No,Total,Total\n", mapping: "amount: Total", err: `the column "Total" is there twice`},
		{name: "mapping of an unknown field", mapping: "total: Total", err: `"total" is not a field of an order; the fields are id, `},
		{name: "mapping to nothing", mapping: "amount: []", err: `amount names no column and no value`},
		{name: "mapping with another constant", mapping: "amount: {constant: 5}", err: `a constant is written {value: …}`},
		{name: "no mapping", mapping: "[1", err: `is no mapping: `},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for how, file := range map[string]io.Reader{
				"at once": strings.NewReader(tt.file), "byte by byte": iotest.OneByteReader(strings.NewReader(tt.file)),
			} {
				got, size, err := readCSV(file, tt.mapping)
				if (tt.err == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("%s: %v", how, err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("%s: orders (-want +got):\n%.2000s", how, diff)
				}
				if size > int64(len(tt.file)) {
					t.Errorf("%s: orders have %d bytes of a file of %d", how, size, len(tt.file))
				}
			}
		})
	}
}

// TestCSVFields checks that a column can hold every field of an order.
func TestCSVFields(t *testing.T) {
	t.Parallel()
	want := []string{"id", itemName, itemPrefix + "sku", itemPrefix + "quantity", itemPrefix + "unit_price"}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[order.Content]()) {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "items" && name != "metadata" {
			want = append(want, name)
		}
	}
	got := csvFields()
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

// TestCSVIsBounded checks that an order of endless rows is refused without being kept.
func TestCSVIsBounded(t *testing.T) {
	t.Parallel()
	row := "a,5,tea,ada\n"
	got, _, err := readCSV(strings.NewReader(plainHeader+strings.Repeat(row, 100_000)), "")
	if err != nil || len(got) != 1 || len(got[0]) > 10<<10 {
		t.Errorf("%d orders, %v", len(got), err)
	}
	long := fmt.Sprintf("a,5,%s,ada\n", strings.Repeat("x", 10<<10))
	got, _, err = readCSV(strings.NewReader(plainHeader+strings.Repeat(long, 100)), "")
	if want := []string{"27 " + tooLongText}; err != nil || cmp.Diff(want, got) != "" {
		t.Errorf("%.100v, %v", got, err)
	}
}

// TestCSVOfAPipe checks that an order without an id is returned as soon as it was read.
func TestCSVOfAPipe(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	go func() { _, _ = io.WriteString(w, "amount,item,customer\n5,tea,ada\n") }()
	in, err := newCSVInput(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if e, err := in.next(); err != nil || e.line != 2 {
		t.Errorf("%+v, %v", e, err)
	}
	_ = w.Close()
}

func FuzzCSV(f *testing.F) {
	for _, seed := range []string{"", plainHeader, plainHeader + "a,5,tea,ada\na,,x,\n", plainHeader + "a,\"5\nb", plainHeader + "x\"\nc,1\n", ";;;\n", "\"\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file string) {
		got, size, err := readCSV(strings.NewReader(file), "")
		if size > int64(len(file)) || len(got) > strings.Count(file, "\n")+strings.Count(file, "\r")+1 {
			t.Errorf("%d orders of %d bytes: %v", len(got), size, err)
		}
	})
}
