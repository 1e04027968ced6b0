import gzip
import tracemalloc

import pytest

from core.tabular import UnreadableFile
from sales import poslog
from sales.poslog import NAMESPACE, PoslogReader, is_poslog

HEAD = f'<POSLog xmlns="{NAMESPACE}">'
ONE = "<Transaction><SequenceNumber>{}</SequenceNumber></Transaction>\n"


def written(path, text):
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read(path):
    with PoslogReader(path) as reader:
        return [(line, element[0].text) for line, element in reader.transactions()]


class TestPoslogReader:
    def test_yields_each_transaction_with_its_line(self, tmp_path):
        path = written(tmp_path / "a.xml", HEAD + "\n" + "".join(map(ONE.format, range(3))) + "</POSLog>")
        assert read(path) == [(2, "0"), (3, "1"), (4, "2")]

    def test_reads_other_prefixes_encodings_and_gz(self, tmp_path):
        text = f'<?xml version="1.0" encoding="UTF-16"?><p:POSLog xmlns:p="{NAMESPACE}"><p:Transaction><p:X>č</p:X></p:Transaction></p:POSLog>'
        assert read(written(tmp_path / "a.xml", text.encode("utf-16"))) == [(1, "č")]
        packed = gzip.compress((HEAD + ONE.format(7) + "</POSLog>").encode())
        assert read(written(tmp_path / "a.xml.gz", packed)) == [(1, "7")]

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (f'<!DOCTYPE a [<!ENTITY l "ha"><!ENTITY m "&l;&l;&l;">]>{HEAD}&m;</POSLog>', "document type"),
            (f'<!DOCTYPE a SYSTEM "http://127.0.0.1/x.dtd">{HEAD}</POSLog>', "document type"),
            (HEAD + "&nothing;</POSLog>", "not well-formed"),
            (HEAD + ONE.format(1), "not well-formed"),
            ("<POSLog/>", "is no POSLog"),
            ("", "not well-formed"),
        ],
    )
    def test_refuses_what_is_dangerous_or_broken(self, tmp_path, text, words):
        with pytest.raises(UnreadableFile, match=words):
            read(written(tmp_path / "a.xml", text))

    def test_refuses_a_transaction_without_an_end(self, tmp_path, monkeypatch):
        monkeypatch.setattr(poslog, "MOST_BYTES", 1 << 20)
        path = written(tmp_path / "a.xml", HEAD + "<Transaction>" + "<A/>" * 800_000)
        with pytest.raises(UnreadableFile, match="no transaction ends"):
            read(path)

    def test_needs_no_more_memory_for_a_longer_file(self, tmp_path):
        def peak(count):
            path = written(
                tmp_path / "a.xml",
                HEAD + ("<Transaction>" + "<A>text</A>" * 50 + "</Transaction>") * count + "</POSLog>",
            )
            tracemalloc.start()
            with PoslogReader(path) as reader:
                for _ in reader.transactions():
                    pass
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return most

        assert peak(6000) < 1.5 * peak(1500)


class TestIsPoslog:
    def test_tells_xml_by_its_first_bytes(self, tmp_path):
        assert is_poslog(written(tmp_path / "a", b"\xef\xbb\xbf  <POSLog/>"))
        assert is_poslog(written(tmp_path / "a", gzip.compress(b"<a/>")))
        assert not is_poslog(written(tmp_path / "a", b"store_code,till_code\n"))
        assert not is_poslog(written(tmp_path / "a", b""))
        with pytest.raises(UnreadableFile):
            is_poslog(tmp_path / "nothing")
