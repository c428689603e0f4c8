package config

import (
	"strings"

	"github.com/caarlos0/env/v11"
)

// openTelemetry lists variables that OpenTelemetry reads itself. It would ignore an
// invalid value and send spans elsewhere than the operator expects, or none. Values are
// not shown, because an endpoint may contain a key.
type openTelemetry struct {
	Disabled       string `env:"OTEL_SDK_DISABLED" oneOf:"true,false" secret:"true"`
	Exporter       string `env:"OTEL_TRACES_EXPORTER" oneOf:"otlp,console,none" secret:"true"`
	Protocol       string `env:"OTEL_EXPORTER_OTLP_PROTOCOL" oneOf:"http/protobuf,grpc" secret:"true"`
	TracesProtocol string `env:"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL" oneOf:"http/protobuf,grpc" secret:"true"`
	Endpoint       string `env:"OTEL_EXPORTER_OTLP_ENDPOINT" form:"endpoint" secret:"true"`
	TracesEndpoint string `env:"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" form:"endpoint" secret:"true"`
	Sampler        string `env:"OTEL_TRACES_SAMPLER" oneOf:"always_on,always_off,traceidratio,parentbased_always_on,parentbased_always_off,parentbased_traceidratio" secret:"true"`
	SamplerArg     string `env:"OTEL_TRACES_SAMPLER_ARG" form:"ratio" secret:"true"`
	// A queue of a million spans is about a gigabyte.
	QueueSize int `env:"OTEL_BSP_MAX_QUEUE_SIZE" min:"1" max:"1000000" secret:"true"`
	BatchSize int `env:"OTEL_BSP_MAX_EXPORT_BATCH_SIZE" min:"1" max:"1000000" secret:"true"`
	// Times are in milliseconds, at most an hour.
	Delay         int `env:"OTEL_BSP_SCHEDULE_DELAY" min:"1" max:"3600000" secret:"true"`
	Timeout       int `env:"OTEL_BSP_EXPORT_TIMEOUT" min:"1" max:"3600000" secret:"true"`
	OTLPTimeout   int `env:"OTEL_EXPORTER_OTLP_TIMEOUT" min:"1" max:"3600000" secret:"true"`
	TracesTimeout int `env:"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT" min:"1" max:"3600000" secret:"true"`
}

// traces reports whether OpenTelemetry is asked for traces: an exporter or an endpoint
// is set. If so, it checks the other variables.
func (p *problems) traces(environ []string) bool {
	text := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if value = Trimmed(value); strings.HasPrefix(name, "OTEL_") && value != "" {
			text[name] = strings.ToLower(value) // OpenTelemetry does not distinguish case
		}
	}
	var o openTelemetry
	var found problems
	parseStruct(&found, &o, env.Options{Environment: text})
	if o.Disabled == "true" || o.Exporter == "none" || o.Exporter+o.Endpoint+o.TracesEndpoint == "" {
		return false
	}
	for _, one := range found.found {
		p.add(one)
	}
	return true
}
