package config

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The variables of OpenTelemetry that decide whether traces are made. It reads them
// itself; here they are only looked at.
const (
	nameTracesDisabled = "OTEL_SDK_DISABLED"
	nameTracesExporter = "OTEL_TRACES_EXPORTER"
	nameTracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	nameOTLPEndpoint   = "OTEL_EXPORTER_OTLP_ENDPOINT"
	nameTracesRatio    = "OTEL_TRACES_SAMPLER_ARG"
	// exporterNone is the exporter that wants no traces.
	exporterNone = "none"
)

// maxSpans bounds the queue of the spans that are to be sent: a gigabyte or so.
const maxSpans = 1_000_000

// maxTracesWait bounds what OpenTelemetry may wait for, an hour, in milliseconds.
const maxTracesWait = 3_600_000

// traces says whether OpenTelemetry is asked for traces: an exporter is named, or an
// endpoint is. If so, it refuses the values that OpenTelemetry would pass over, and
// send spans elsewhere than the operator thinks, or none.
func (p *problems) traces(environ []string) bool {
	text := openTelemetry(environ)
	exporter := text[nameTracesExporter]
	endpoint := text[nameTracesEndpoint] + text[nameOTLPEndpoint]
	disabled := strings.EqualFold(text[nameTracesDisabled], "true") || strings.EqualFold(exporter, exporterNone)
	if disabled || exporter+endpoint == "" {
		return false
	}
	for _, rule := range tracesRules() {
		if value := text[rule.name]; value != "" && !rule.ok(value) {
			p.add(rule.problem(value))
		}
	}
	return true
}

// openTelemetry is its variables that are set and not empty.
func openTelemetry(environ []string) map[string]string {
	text := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if value = Trimmed(value); strings.HasPrefix(name, "OTEL_") && value != "" {
			text[name] = value
		}
	}
	return text
}

// tracesRule says what one variable of OpenTelemetry may hold. Values are not shown:
// an endpoint may hold a key.
type tracesRule struct {
	name, allowed string
	ok            func(value string) bool
}

// problem says what is wrong with the value.
func (r tracesRule) problem(value string) Problem {
	p := Problem{Name: r.name, Message: "must be " + r.allowed}
	if r.name == nameOTLPEndpoint || r.name == nameTracesEndpoint {
		if why := whyNotURL(value, false); why != nil {
			p.Message += ": it " + why.Error()
		}
	}
	return p
}

func tracesRules() []tracesRule {
	const endpoint = "an absolute http or https URL with a host; its value is not shown"
	return []tracesRule{
		choice(nameTracesDisabled, "true", "false"),
		choice(nameTracesExporter, "otlp", "console", exporterNone),
		choice("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", "grpc"),
		choice("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf", "grpc"),
		{nameOTLPEndpoint, endpoint, goodEndpoint},
		{nameTracesEndpoint, endpoint, goodEndpoint},
		choice("OTEL_TRACES_SAMPLER", "always_on", "always_off", "traceidratio",
			"parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"),
		{nameTracesRatio, "a number from 0 to 1", goodRatio},
		whole("OTEL_BSP_MAX_QUEUE_SIZE", maxSpans),
		whole("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", maxSpans),
		whole("OTEL_BSP_SCHEDULE_DELAY", maxTracesWait),
		whole("OTEL_BSP_EXPORT_TIMEOUT", maxTracesWait),
		whole("OTEL_EXPORTER_OTLP_TIMEOUT", maxTracesWait),
		whole("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", maxTracesWait),
	}
}

func choice(name string, values ...string) tracesRule {
	last := len(values) - 1
	return tracesRule{name, strings.Join(values[:last], ", ") + " or " + values[last], func(value string) bool {
		return slices.ContainsFunc(values, func(known string) bool { return strings.EqualFold(known, value) })
	}}
}

func whole(name string, highest int) tracesRule {
	return tracesRule{name, "a whole number from 1 to " + strconv.Itoa(highest), func(value string) bool {
		n, err := strconv.Atoi(value)
		return err == nil && n >= 1 && n <= highest
	}}
}

// goodRatio refuses NaN too, which is not below anything.
func goodRatio(value string) bool {
	ratio, err := strconv.ParseFloat(value, 64)
	return err == nil && ratio >= 0 && ratio <= 1
}

// goodEndpoint says whether spans can be sent there.
func goodEndpoint(value string) bool {
	u, err := url.Parse(value)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && goodHost(u.Hostname())
}
