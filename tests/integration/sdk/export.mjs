// Exports with the OpenTelemetry JavaScript SDK: node export.mjs ENDPOINT json|proto|grpc delta|cumulative
// What the rounds add up to stands in sdk_test.py.
import { diag, DiagLogLevel, ValueType } from '@opentelemetry/api';
import { createRequire } from 'node:module';

const [endpoint, encoding, temporality] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const suffix = encoding === 'json' ? 'http' : encoding;
const urlOf = (path) => (encoding === 'grpc' ? endpoint : `${endpoint}${path}`);
const { OTLPMetricExporter } = require(`@opentelemetry/exporter-metrics-otlp-${suffix}`);
const { AggregationTemporalityPreference } = require('@opentelemetry/exporter-metrics-otlp-http');
const { OTLPLogExporter } = require(`@opentelemetry/exporter-logs-otlp-${suffix}`);
const { OTLPTraceExporter } = require(`@opentelemetry/exporter-trace-otlp-${suffix}`);
const { AggregationType, MeterProvider, PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics');
const { LoggerProvider, SimpleLogRecordProcessor } = require('@opentelemetry/sdk-logs');
const { BasicTracerProvider, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-base');
const { resourceFromAttributes } = require('@opentelemetry/resources');

let failures = 0;
const failed = (...words) => { failures += 1; console.error(...words); };
const quiet = () => {};
diag.setLogger({ error: failed, warn: failed, info: quiet, debug: quiet, verbose: quiet }, DiagLogLevel.WARN);

const resource = resourceFromAttributes({ 'service.name': 'sdk-test', 'service.version': '1' });
const reader = new PeriodicExportingMetricReader({
  exporter: new OTLPMetricExporter({
    url: urlOf('/v1/metrics'),
    temporalityPreference: AggregationTemporalityPreference[temporality.toUpperCase()],
    compression: encoding === 'json' ? 'none' : 'gzip',
  }),
  exportIntervalMillis: 3_600_000,
});
const provider = new MeterProvider({
  resource,
  readers: [reader],
  views: [{
    instrumentName: 'sdk.exponential',
    aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { maxSize: 40 } },
  }],
});
const meter = provider.getMeter('sdk', '2');
const counter = meter.createCounter('sdk.counter', { description: 'Things counted', unit: 'USD' });
const whole = meter.createCounter('sdk.whole', { valueType: ValueType.INT });
const upDown = meter.createUpDownCounter('sdk.updown');
const gauge = meter.createGauge('sdk.gauge');
const histogram = meter.createHistogram('sdk.histogram', {
  unit: 'ms', advice: { explicitBucketBoundaries: [1, 10, 100] },
});
const exponential = meter.createHistogram('sdk.exponential');
const observed = meter.createObservableCounter('sdk.observed');
let ticks = 0;
observed.addCallback((result) => result.observe(ticks * 3, { kind: 'observed' }));

for (let round = 1; round <= 4; round += 1) {
  ticks = round;
  for (const kind of ['a', 'b', 'ü "quoted" \\ \n']) {
    counter.add(0.1 * round, { kind });
    whole.add(round, { kind });
    upDown.add(round % 2 ? 5 : -3, { kind });
    gauge.record(round * 1.5, { kind });
    histogram.record(round * 5, { kind });
    exponential.record(0.001 * 10 ** round, { kind });
  }
  await provider.forceFlush();
}
await provider.shutdown();

const logs = new LoggerProvider({
  resource, processors: [new SimpleLogRecordProcessor(new OTLPLogExporter({ url: urlOf('/v1/logs') }))],
});
const logger = logs.getLogger('sdk.events');
for (let i = 0; i < 3; i += 1) {
  logger.emit({ body: 'claude_code.sdk_event', attributes: { 'event.name': 'sdk_event', 'event.sequence': i } });
}
await logs.forceFlush();
await logs.shutdown();

const traces = new BasicTracerProvider({
  resource, spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter({ url: urlOf('/v1/traces') }))],
});
traces.getTracer('sdk').startSpan('one').end();
await traces.forceFlush();
await traces.shutdown();

process.exit(failures ? 1 : 0);
