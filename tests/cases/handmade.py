"""TIFF bytes made by hand, for what no library would write."""

import struct

_FORMS = {1: "B", 2: "B", 3: "H", 4: "I", 5: "I"}


def tiff(pages, behind=b"", links=None):
    """Little-endian TIFF: pages are lists of (tag, type, values); `behind` lies at offset 8.

    `links` gives, for each page, the number of the page that follows it (None ends the chain).
    """
    links = links if links is not None else [*range(1, len(pages)), None]
    starts, at, blocks = [], 8 + len(behind), []
    for tags in pages:
        starts.append(at)
        entries, extra = b"", b""
        beyond = at + 2 + 12 * len(tags) + 4
        for tag, kind, values in sorted(tags):
            data = struct.pack(f"<{len(values)}{_FORMS[kind]}", *values)
            count = len(values) // 2 if kind == 5 else len(values)
            if len(data) > 4:
                entries += struct.pack("<HHII", tag, kind, count, beyond + len(extra))
                extra += data
            else:
                entries += struct.pack("<HHI", tag, kind, count) + data.ljust(4, b"\0")
        blocks.append((struct.pack("<H", len(tags)) + entries, extra))
        at = beyond + len(extra)
    body = b"".join(
        head + struct.pack("<I", 0 if link is None else starts[link]) + extra
        for (head, extra), link in zip(blocks, links, strict=True)
    )
    return struct.pack("<2sHI", b"II", 42, starts[0]) + behind + body


def grey_tags(height, width, offset=8, **changed):
    """Tags of a grey page of h x w bytes at an offset; `t273=(4, [0])` changes one, None takes its values away."""
    plain = {
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [8]),
        259: (3, [1]),
        262: (3, [1]),
        273: (4, [offset]),
        277: (3, [1]),
        278: (4, [height]),
        279: (4, [height * width]),
    }
    plain |= {int(tag.removeprefix("t")): value for tag, value in changed.items()}
    return [(tag, kind, values) for tag, (kind, values) in plain.items() if values is not None]
