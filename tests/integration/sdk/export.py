"""Exports with the OpenTelemetry Python SDK over gRPC: export.py HOST:PORT delta|cumulative none|gzip

The same as export.mjs does, as far as Python has it. What the rounds add up to stands in sdk_test.py.
"""

import logging
import sys

from grpc import Compression
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

KINDS = ("a", "b", 'ü "quoted" \\ \n')
failures = []


class Listener(logging.Handler):
    def emit(self, record):
        failures.append(record.getMessage())


def metrics(options, temporality, resource):
    kinds = {Counter: temporality, Histogram: temporality}
    exporter = OTLPMetricExporter(preferred_temporality=kinds, **options)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    provider = MeterProvider([reader], resource)
    meter = provider.get_meter("sdk", "2")
    counter = meter.create_counter("sdk.counter", "USD", "Things counted")
    whole = meter.create_counter("sdk.whole")
    histogram = meter.create_histogram("sdk.histogram", "ms", explicit_bucket_boundaries_advisory=[1, 10, 100])
    for number in range(1, 5):
        for kind in KINDS:
            counter.add(0.1 * number, {"kind": kind})
            whole.add(number, {"kind": kind})
            histogram.record(number * 5, {"kind": kind})
        assert provider.force_flush()
    provider.shutdown()


def logs(options, resource):
    provider = LoggerProvider(resource)
    provider.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(**options)))
    logger = provider.get_logger("sdk.events")
    for i in range(3):
        attributes = {"event.name": "sdk_event", "event.sequence": i}
        logger.emit(LogRecord(body="claude_code.sdk_event", attributes=attributes))
    provider.shutdown()


def traces(options, resource):
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(**options)))
    provider.get_tracer("sdk").start_span("one").end()
    provider.shutdown()


def main():
    endpoint, temporality, packing = sys.argv[1:]
    logging.getLogger("opentelemetry").addHandler(Listener(logging.WARNING))
    compression = Compression.Gzip if packing == "gzip" else Compression.NoCompression
    options = {"endpoint": endpoint, "insecure": True, "compression": compression, "timeout": 10}
    resource = Resource({"service.name": "sdk-test", "service.version": "1"})
    metrics(options, AggregationTemporality[temporality.upper()], resource)
    logs(options, resource)
    traces(options, resource)
    if failures:
        sys.exit("\n".join(failures))


if __name__ == "__main__":
    main()
