"""Videos in four forms give the same frames; what is none is refused by name."""

import cv2
import numpy as np
import pytest
import tifffile

from cytally.errors import ImageError
from cytally.images.sequences.flows import read_flow, write_flow
from cytally.images.sequences.video import open_video

#: imageio-ffmpeg leaves the pipes of a decoder that was closed to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def frames(rng):
    smooth = [cv2.GaussianBlur(rng.normal(0, 60, (96, 128)).astype(np.float32), (0, 0), 4) for _ in range(7)]
    return [np.clip(128 + 4 * each, 1, 250).astype(np.uint8) for each in smooth]


def folder_of(path, frames, names="f{:03d}.png"):
    path.mkdir()
    for number, frame in enumerate(frames):
        cv2.imwrite(str(path / names.format(number)), frame)
    return path


def avi_of(path, frames, colour=False):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 12.5, frames[0].shape[1::-1], True)
    for frame in frames:
        writer.write(frame if colour else cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


def test_a_folder_and_a_stack_hold_the_same_frames(tmp_path, frames):
    tifffile.imwrite(tmp_path / "s.tif", np.stack(frames), metadata={"axes": "TYX"})
    for path in (folder_of(tmp_path / "f", frames), tmp_path / "s.tif"):
        video = open_video(path)
        assert (video.shape, video.count, video.fps) == ((96, 128), 7, None)
        assert all((a == b).all() for a, b in zip(video.frames(), frames, strict=True))
        assert [frame.tolist() for frame in video.frames(2, 4)] == [frame.tolist() for frame in frames[2:4]]
        assert (video.frame(6) == frames[6]).all()


def test_numbers_rule_the_order_of_a_folder(tmp_path, frames):
    video = open_video(folder_of(tmp_path / "f", frames * 2, "f{}.png"))
    assert (video.frame(10) == frames[3]).all()


def test_an_avi_in_grey_has_its_rate_and_nearly_its_pixels(tmp_path, frames):
    """Motion JPEG loses a few grey values."""
    pytest.importorskip("imageio_ffmpeg")
    video = open_video(avi_of(tmp_path / "a.avi", frames))
    assert (video.shape, video.count) == ((96, 128), 7) and video.fps == pytest.approx(12.5)
    assert np.abs(video.frame(3).astype(int) - frames[3]).mean() < 3


def test_grey_stored_as_colour_is_grey_and_colour_is_refused(tmp_path, frames):
    grey = folder_of(tmp_path / "g", [np.repeat(each[..., None], 3, 2) for each in frames])
    assert (open_video(grey).frame(1) == frames[1]).all()
    coloured = folder_of(tmp_path / "c", [np.stack([each, 255 - each, each], 2) for each in frames])
    with pytest.raises(ImageError, match="colour"):
        open_video(coloured)


def test_what_is_no_video(tmp_path, frames):
    (tmp_path / "t.txt").write_text("x")
    (tmp_path / "e").mkdir()
    avi = avi_of(tmp_path / "whole.avi", frames * 3).read_bytes()
    (tmp_path / "cut.avi").write_bytes(avi[: len(avi) // 3])
    burnt = [np.where(np.arange(96)[:, None] < 40, 255, each).astype(np.uint8) for each in frames]
    holes = folder_of(tmp_path / "h", frames)
    (holes / "f003.png").unlink()
    for path, words in (
        (tmp_path / "none.avi", "no such file"),
        (tmp_path / "t.txt", "expected a video"),
        (tmp_path / "e", "folder of images"),
        (folder_of(tmp_path / "one", frames[:1]), "at least two frames"),
        (folder_of(tmp_path / "small", [each[:40] for each in frames]), "at least 64"),
        (folder_of(tmp_path / "burnt", burnt), "burnt out"),
        (holes, "f002.png and then f004.png"),
        (tmp_path / "cut.avi", "cut.avi"),
    ):
        with pytest.raises(ImageError, match=words):
            open_video(path)
    other = folder_of(tmp_path / "o", [*frames[:3], frames[3][:, :100], *frames[4:]])
    with pytest.raises(ImageError, match="100 in frame 3"):
        list(open_video(other).frames())


def test_flo_files_hold_columns_first_and_come_back(tmp_path):
    flow = np.random.default_rng(0).normal(0, 3, (2, 5, 7)).astype(np.float32)
    write_flow(tmp_path / "a.flo", flow)
    raw = (tmp_path / "a.flo").read_bytes()
    assert raw[:4] == b"PIEH" and np.frombuffer(raw[4:12], "<i4").tolist() == [7, 5]
    assert np.frombuffer(raw[12:20], "<f4").tolist() == [flow[1, 0, 0], flow[0, 0, 0]]
    assert (read_flow(tmp_path / "a.flo") == flow).all()
    (tmp_path / "b.flo").write_bytes(raw[:-4])
    with pytest.raises(ImageError, match="copy it again"):
        read_flow(tmp_path / "b.flo")
