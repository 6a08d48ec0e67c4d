"""Heads, methods, paths, errors: what the doors say to right and wrong requests."""
from wire import Case, chunked, fnv1a, main, post


class Exports(Case):
    def test_a_protobuf_export_is_taken_and_answered_in_protobuf(self):
        c = self.server.connect().send(post(b"hello"))
        a = c.answer()
        self.assertEqual((a.status, a.fields["content-type"]), (200, "application/x-protobuf"))
        self.assertRegex(a.fields["date"], r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")
        seen = self.server.seen()
        self.assertEqual((seen["signal"], seen["encoding"]), ("metrics", "protobuf"))
        self.assertEqual((seen["len"], seen["hash"]), (5, fnv1a(b"hello")))
        c.close()

    def test_a_json_export_with_charset_is_answered_in_json(self):
        c = self.server.connect()
        c.send(post(b"{}", "/v1/logs", "Application/JSON; charset=utf-8"))
        a = c.answer()
        self.assertEqual((a.status, a.fields["content-type"]), (200, "application/json"))
        self.assertEqual(a.json(), {"partialSuccess": {"errorMessage": "1 2"}})
        self.assertEqual(self.server.seen()["signal"], "logs")
        c.close()

    def test_traces_have_a_path(self):
        c = self.server.connect().send(post(b"x", "/v1/traces?a=b"))
        self.assertEqual(c.answer().status, 200)
        self.assertEqual(self.server.seen()["signal"], "traces")
        c.close()

    def test_an_empty_body_is_a_request(self):
        c = self.server.connect().send(post(b""))
        self.assertEqual(c.answer().status, 200)
        c.close()

    def test_absolute_form_is_accepted(self):
        c = self.server.connect().send(post(b"x", "http://127.0.0.1:4318/v1/metrics"))
        self.assertEqual(c.answer().status, 200)
        c.close()

    def test_a_connection_is_kept(self):
        c = self.server.connect()
        for i in range(50):
            c.send(post(b"x" * i))
            self.assertEqual(c.answer().status, 200)
        self.assertEqual(self.server.seen()["requests"], 50)
        c.close()

    def test_pipelined_requests_are_answered_in_order(self):
        c = self.server.connect()
        c.send(b"".join(post(b"x" * i, kind="application/json") for i in range(200)))
        for i in range(200):
            message = c.answer().json()["partialSuccess"]["errorMessage"]
            self.assertEqual(message, "%d %d" % (i + 1, i))
        c.close()

    def test_empty_lines_before_a_request_are_skipped(self):
        c = self.server.connect().send(b"\r\n\r\n" + post(b"x") + b"\r\n")
        self.assertEqual(c.answer().status, 200)
        c.send(b"\r\n" + post(b"y"))
        self.assertEqual(c.answer().status, 200)
        c.close()

    def test_connection_close_is_obeyed(self):
        c = self.server.connect()
        c.send(post(b"x", "/v1/metrics", "application/json", "Connection: close"))
        self.assertEqual(c.answer().fields["connection"], "close")
        self.assertTrue(c.is_closed())

    def test_http_1_0_closes_unless_it_asks_to_be_kept(self):
        head = b"POST /v1/metrics HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 1\r\n"
        c = self.server.connect().send(head + b"Connection: Keep-Alive\r\n\r\nx")
        self.assertEqual(c.answer().fields["connection"], "keep-alive")
        c.send(head + b"\r\nx")
        self.assertEqual(c.answer().fields["connection"], "close")
        self.assertTrue(c.is_closed())

    def test_one_byte_at_a_time_is_the_same_request(self):
        for request in (post(b"abc"), chunked([b"a", b"bc"])):
            c = self.server.connect()
            for i in range(len(request)):
                c.send(request[i : i + 1])
            self.assertEqual(c.answer().status, 200)
            self.assertEqual(self.server.seen()["hash"], fnv1a(b"abc"))
            c.close()

    def test_a_cut_anywhere_is_the_same_request(self):
        request = post(b"first") + chunked([b"sec", b"ond"]) + post(b"third")
        for cut in range(1, len(request), 3):
            c = self.server.connect().send(request[:cut])
            self.server.seen()  # so that the first part is read alone
            c.send(request[cut:])
            for _ in range(3):
                self.assertEqual(c.answer().status, 200)
            self.assertEqual(self.server.seen()["hash"], fnv1a(b"third"))
            c.close()


class Refusals(Case):
    def refused(self, request, status, reason, closes):
        c = self.server.connect().send(request)
        a = c.answer()
        self.assertEqual(a.status, status, request)
        self.assertEqual(a.fields.get("connection") == "close", closes, request)
        if closes:
            self.assertTrue(c.is_closed())
        else:
            c.send(post(b"x"))
            self.assertEqual(c.answer().status, 200)
        c.close()
        self.assertEqual(self.server.seen()["refused"].get(reason), 1, request)
        return a

    def test_get_is_405_and_names_post(self):
        a = self.refused(
            b"GET /v1/metrics HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed", False
        )
        self.assertEqual(a.fields["allow"], "POST")

    def test_head_is_405_without_a_body(self):
        c = self.server.connect().send(b"HEAD /v1/metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual(c.answer(is_head=True).status, 405)
        c.send(post(b"x"))
        self.assertEqual(c.answer().status, 200)
        c.close()

    def test_unknown_path_is_404_with_a_status_in_json(self):
        a = self.refused(post(b"x", "/v1/metric", "application/json"), 404, "not_found", False)
        self.assertEqual(a.fields["content-type"], "application/json")
        self.assertIn("/v1/metrics", a.json()["message"])

    def test_unknown_path_is_404_with_a_status_in_protobuf(self):
        a = self.refused(post(b"x", "/"), 404, "not_found", False)
        self.assertEqual(a.body[:3], b"\x08\x0c\x12")

    def test_other_types_are_415_in_text(self):
        a = self.refused(post(b"x", kind="text/plain"), 415, "unsupported_type", False)
        self.assertEqual(a.fields["content-type"], "text/plain; charset=utf-8")

    def test_no_type_is_415(self):
        self.refused(post(b"x", kind=None), 415, "unsupported_type", False)

    def test_other_codings_are_415(self):
        request = post(b"x", "/v1/logs", "application/json", "Content-Encoding: br")
        self.refused(request, 415, "unsupported_encoding", False)

    def test_post_without_length_is_411(self):
        request = b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\r\n"
        self.refused(request, 411, "length_required", True)

    def test_a_length_past_the_maximum_is_413_at_once(self):
        request = post(b"").replace(b"Length: 0", b"Length: 67108865")
        self.refused(request, 413, "body_too_large", True)

    def test_an_absurd_length_is_413(self):
        request = post(b"").replace(b"Length: 0", b"Length: 99999999999999999999999999")
        self.refused(request, 413, "body_too_large", True)

    def test_a_large_header_is_431(self):
        request = b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40000
        self.refused(request, 431, "header_too_large", True)

    def test_many_fields_are_431(self):
        request = b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: a\r\n" * 100 + b"\r\n"
        self.refused(request, 431, "header_too_large", True)

    def test_what_is_not_http_is_400(self):
        good = post(b"x")
        wrong = (
            b"\x16\x03\x01\x02\x00\x01\x00",
            b"GET / HTTP/1.1\nHost: x\n\n",
            b"GET /\r\n\r\n",
            b"GET / HTTP/3.0\r\n\r\n",
            b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
            good.replace(b"Length: 1", b"Length: 1\r\nContent-Length: 1"),
            good.replace(b"Length: 1", b"Length: 1, 1"),
            good.replace(b"Length: 1", b"Length: +1"),
            good.replace(b"Length: 1", b"Length: 0x1"),
            good.replace(b"Length: 1", b"Length: 1\r\nTransfer-Encoding: chunked"),
            good.replace(b"Content-Length: 1", b"Transfer-Encoding: gzip, chunked"),
            good.replace(b"Content-Length: 1", b"Transfer-Encoding: xchunked"),
        )
        for count, request in enumerate(wrong, 1):
            c = self.server.connect().send(request)
            self.assertEqual(c.answer().status, 400, request)
            self.assertTrue(c.is_closed())
            c.close()
            self.assertEqual(self.server.seen()["refused"]["malformed_http"], count, request)
        self.assertEqual(self.server.seen()["requests"], 0)

    def test_the_answer_is_seen_before_the_body_is_sent(self):
        """A reset on unread bytes would take the answer away."""
        for _ in range(20):
            c = self.server.connect().send(post(b"x" * 400000, "/nowhere"))
            self.assertEqual(c.answer().status, 404)
            c.close()


class Expect(Case):
    options = ("body_max=1000",)

    def test_100_comes_before_the_body(self):
        request = post(b"hello", "/v1/metrics", "application/json", "Expect: 100-continue")
        c = self.server.connect().send(request[:-5])
        self.assertEqual(c.answer().status, 100)
        c.send(b"hello")
        self.assertEqual(c.answer().status, 200)
        c.close()

    def test_100_is_left_out_when_the_body_is_there(self):
        request = post(b"hello", "/v1/metrics", "application/json", "Expect: 100-continue")
        c = self.server.connect().send(request)
        self.assertEqual(c.answer().status, 200)
        c.close()

    def test_a_body_that_will_not_be_taken_is_not_asked_for(self):
        for path, length, status in (("/v1/metrics", 1001, 413), ("/nowhere", 10, 404)):
            request = post(b"x" * length, path, "application/json", "Expect: 100-continue")
            c = self.server.connect().send(request[:-length])
            a = c.answer()
            self.assertEqual((a.status, a.fields["connection"]), (status, "close"))
            self.assertTrue(c.is_closed())
            c.close()


class Pages(Case):
    options = ("page=40000000",)

    def get(self, door, path, method="GET"):
        c = self.server.connect(door)
        c.send(("%s %s HTTP/1.1\r\nHost: x\r\n\r\n" % (method, path)).encode())
        a = c.answer(is_head=method == "HEAD")
        c.close()
        return a

    def test_a_large_page_arrives_whole(self):
        a = self.get("exporter", "/metrics")
        self.assertEqual((a.status, len(a.body)), (200, 40000000))
        self.assertEqual(a.body[-16:], b"%015d\n" % 2499999)
        self.assertEqual(a.fields["content-type"], "text/plain; version=0.0.4")

    def test_head_has_the_length_and_no_body(self):
        a = self.get("exporter", "/metrics", "HEAD")
        self.assertEqual(a.fields["content-length"], "40000000")

    def test_other_paths_of_the_exporter_are_404(self):
        self.assertEqual(self.get("exporter", "/").status, 404)

    def test_other_methods_are_405(self):
        a = self.get("exporter", "/metrics", "DELETE")
        self.assertEqual((a.status, a.fields["allow"]), (405, "GET, HEAD"))

    def test_health_takes_any_path_and_its_own_status(self):
        a = self.get("health", "/any/where?x")
        self.assertEqual((a.status, a.body), (503, b"/any/where"))

    def test_an_action_is_a_post_and_may_be_answered_later(self):
        c = self.server.connect("health")
        request = b"POST /alerts/test HTTP/1.1\r\nHost: x\r\n%s\r\n"
        for fields, body in ((b"", b"later"), (b"Content-Length: 3\r\n", b"later"), (b"Origin: null\r\n", b"origin")):
            a = c.send(request % fields + (b"abc" if b"Length" in fields else b"")).answer()
            self.assertEqual((a.status, a.body), (202, body))
        # What comes behind one that waits is answered behind it.
        c.send(request % b"" + b"GET /next HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual([c.answer().body, c.answer().body], [b"later", b"/next"])
        c.close()
        a = self.get("health", "/alerts/test")
        self.assertEqual((a.status, a.fields["allow"]), (405, "POST"))
        self.assertEqual(self.get("health", "/", "POST").status, 405)

    def test_an_action_whose_sender_has_left_harms_nobody(self):
        c = self.server.connect("health").send(b"POST /alerts/test HTTP/1.1\r\nHost: x\r\n\r\n")
        c.close()
        self.assertEqual(self.get("health", "/alive").body, b"/alive")

    def test_a_pipelined_request_behind_a_large_page_is_answered(self):
        c = self.server.connect("exporter")
        c.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
        for _ in range(2):
            self.assertEqual(len(c.answer().body), 40000000)
        c.close()

    def test_there_are_no_exports_on_other_doors(self):
        c = self.server.connect("exporter").send(post(b"x"))
        self.assertEqual(c.answer().status, 404)
        c.close()


class Cors(Case):
    options = ("cors=https://a.example",)
    preflight = (
        b"OPTIONS /v1/metrics HTTP/1.1\r\nHost: x\r\nOrigin: %s\r\n"
        b"Access-Control-Request-Method: POST\r\n"
        b"Access-Control-Request-Headers: content-type, x-team\r\n\r\n"
    )

    def test_preflight_of_an_allowed_origin(self):
        c = self.server.connect().send(self.preflight % b"https://a.example")
        a = c.answer()
        self.assertEqual(a.status, 204)
        self.assertEqual(a.fields["access-control-allow-origin"], "https://a.example")
        self.assertEqual(a.fields["access-control-allow-headers"], "content-type, x-team")
        self.assertEqual(a.fields["vary"], "Origin")
        request = post(b"x", "/v1/metrics", "application/json", "Origin: https://a.example")
        a = c.send(request).answer()
        self.assertEqual(a.fields["access-control-allow-origin"], "https://a.example")
        c.close()

    def test_preflight_of_another_origin_allows_nothing(self):
        c = self.server.connect().send(self.preflight % b"https://b.example")
        a = c.answer()
        self.assertNotIn("access-control-allow-origin", a.fields)
        c.close()

    def test_allow_names_options(self):
        c = self.server.connect().send(b"GET /v1/logs HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual(c.answer().fields["allow"], "POST, OPTIONS")
        c.close()


class CorsOff(Case):
    def test_options_is_405(self):
        c = self.server.connect().send(Cors.preflight % b"https://a.example")
        a = c.answer()
        self.assertEqual((a.status, a.fields["allow"]), (405, "POST"))
        self.assertNotIn("access-control-allow-origin", a.fields)
        c.close()


if __name__ == "__main__":
    main()
