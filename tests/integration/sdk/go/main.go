// Exports with the OpenTelemetry Go SDK over gRPC: export HOST:PORT delta|cumulative none|gzip
//
// The same as export.mjs does, as far as Go has it. What the rounds add up to stands in sdk_test.py.
package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

var kinds = []string{"a", "b", "ü \"quoted\" \\ \n"}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func exportMetrics(ctx context.Context, endpoint string, t metricdata.Temporality, packing string, r *resource.Resource) {
	options := []otlpmetricgrpc.Option{
		otlpmetricgrpc.WithEndpoint(endpoint), otlpmetricgrpc.WithInsecure(),
		otlpmetricgrpc.WithTemporalitySelector(func(sdkmetric.InstrumentKind) metricdata.Temporality { return t }),
	}
	if packing == "gzip" {
		options = append(options, otlpmetricgrpc.WithCompressor("gzip"))
	}
	exporter, err := otlpmetricgrpc.New(ctx, options...)
	must(err)
	reader := sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithInterval(time.Hour))
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithResource(r))
	meter := provider.Meter("sdk", metric.WithInstrumentationVersion("2"))
	counter, err := meter.Float64Counter("sdk.counter", metric.WithUnit("USD"), metric.WithDescription("Things counted"))
	must(err)
	whole, err := meter.Int64Counter("sdk.whole")
	must(err)
	histogram, err := meter.Float64Histogram("sdk.histogram", metric.WithUnit("ms"),
		metric.WithExplicitBucketBoundaries(1, 10, 100))
	must(err)
	for round := 1; round <= 4; round++ {
		for _, kind := range kinds {
			with := metric.WithAttributes(attribute.String("kind", kind))
			counter.Add(ctx, 0.1*float64(round), with)
			whole.Add(ctx, int64(round), with)
			histogram.Record(ctx, float64(round*5), with)
		}
		must(provider.ForceFlush(ctx))
	}
	must(provider.Shutdown(ctx))
}

func exportLogs(ctx context.Context, endpoint string, r *resource.Resource) {
	exporter, err := otlploggrpc.New(ctx, otlploggrpc.WithEndpoint(endpoint), otlploggrpc.WithInsecure())
	must(err)
	provider := sdklog.NewLoggerProvider(sdklog.WithResource(r),
		sdklog.WithProcessor(sdklog.NewSimpleProcessor(exporter)))
	logger := provider.Logger("sdk.events")
	for i := 0; i < 3; i++ {
		var record log.Record
		record.SetBody(attribute.StringValue("claude_code.sdk_event"))
		record.AddAttributes(attribute.String("event.name", "sdk_event"), attribute.Int("event.sequence", i))
		logger.Emit(ctx, record)
	}
	must(provider.Shutdown(ctx))
}

func exportTraces(ctx context.Context, endpoint string, r *resource.Resource) {
	exporter, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(endpoint), otlptracegrpc.WithInsecure())
	must(err)
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter), sdktrace.WithResource(r))
	_, span := provider.Tracer("sdk").Start(ctx, "one")
	span.End()
	must(provider.Shutdown(ctx))
}

func main() {
	ctx := context.Background()
	endpoint, packing := os.Args[1], os.Args[3]
	var failures atomic.Int32
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		failures.Add(1)
		fmt.Fprintln(os.Stderr, err)
	}))
	temporality := metricdata.CumulativeTemporality
	if os.Args[2] == "delta" {
		temporality = metricdata.DeltaTemporality
	}
	r := resource.NewSchemaless(attribute.String("service.name", "sdk-test"), attribute.String("service.version", "1"))
	exportMetrics(ctx, endpoint, temporality, packing, r)
	exportLogs(ctx, endpoint, r)
	exportTraces(ctx, endpoint, r)
	if failures.Load() > 0 {
		os.Exit(1)
	}
}
