"""Rows of .xls that are struck out or hidden: their people are asked about. Written by xlwt, with invented names."""

from __future__ import annotations

import base64
import zlib

import pytest

from app.domain.imports.lists.model import State
from app.services.imports.lists import read_list_file

STRUCK = (
    "eNrtmE1oE0EUgN8ku8kmTdqktkIrlFCwam0P4sVLjUm7DZE0jVurUgTdtgsNTZOSxoNerNYeBcGDKF4KvXipevEHPehFKggVPQiC"
    "0OrF4kEEBQ9t1zcvE2ztCg3UorIv7NvJe9+bnczMm5nsy7ng/NTd+gX4RQ6CE1ZMD7hW2RhentKXAKDfNHmxdFfwMm35p8Sj4EC6"
    "ZHjkf+HmY8jHewEccEd6ihrgPV4nYRSSuawR2kKJUht0xtvQhprBTbRUQh21qpr0AOltpG8T+Zj0IbJcJt2G7Dzrg7lwsvmAmMUn"
    "HI3kqwRe732KeUuWfVALs3wWn7/CiqwMkXxaz/zNDmW9o0HywTTggMaMrJHXM/NQgyM7Dd/MEMDXUgo/Cdn2rbUzQPv3tXb3b+yK"
    "hf2qQwIYB/M0ZcQkrsbXpOLAdy7BMwzi6QC4dGO+jmAqp/KL2dwIzoOUqqlxLSIDJIzPGZ274u0RrQMLPfpIOq/zudL7PNarJpFJ"
    "pXOFPLo64pFEopsHnRnQxxBJqKEYmtDVvphJZw00RSNaNK5qWDo6tJj/OMZtWvxYfFZTfRjQnVL7WmMRrT0e8QMcNvRsa1QfLaTH"
    "CgbV19UdT6oVAJFs1mjtyY0OpQ0v32ZoWQqsWZb8lK4+1INQReUgJW0Au2rp1pdXXf2p8CmyjNNWVNywdvIuAxMu8AgMriSPlzRn"
    "m0nvJX2Rat1B5XrSNZhReG9K1YpC5wQxl8jbhM/ZT/I6vGtVeTeWJz8dedAw+SG8B8szsYVzNTNvwlPQiEM2iPH8MwEtrIXduM7l"
    "Ybh0Z2Jxe0e6bt1CpzgCou2m2JWrYFn8niDp4jfeO0zwzIJnxDsEz4h3Ct5hwTuIlwRf7H1Z8E4L3km8S/BO4t2Clyx4iXhF8BLx"
    "HsHLFrxMvFfwMvEVgndZ8C7ifYJ3Ee8XvNuCdxNfKXj3mv5RLHiFtqUqwSvAxzEgeI8F76H6g4L3UP3V/ODlqIZ7vLNxG/spXrDF"
    "FltsscUWW2zZJGHiGMyPNvwIJovDtlu811nGa8V+TfLfigY5/BTwf6YKWbzn4WxZ82c7yKxUF9tgTOl9IZfj+PQ8DEM/tWO47PmL"
    "f5bY6t+z4cDA5qVQuc9fKaedf/j5PwDvuBB0"
)

HIDDEN = (
    "eNrtmE1oE0EUx99sdpNsTNOkH0IrlFDQam0PxYuXGleStqnJNsaiIoKmdpHQJJW0KejFau1REDwpXgq9eKl68QM96EkFoUUPgiC0"
    "emnwJFTw0HZ98zLBVPfQgBaV/Yd9O3nzezOTnc/swnxgceZ+8xL8pAPggHVTBWeFj+Gllr/4AfNNkyfLdzdepq1/SqobO9KpwJOa"
    "1y7eh7y/l0CCe/JztAAf8ToF50EfzRnBLdQhakOK8TZ0o2VwGz0+aKJW1ZE9S7ae7F0in5I9SJ5rZLuRXWQnYT6kt+8Xo/iE1Ep5"
    "PuDlPqSY9+TpgkZ4yUfxpeusxCqg5dOpzN+Z0SJ7YRaw33qNnJFPZRahATtwFr6aQYCV8kx9FrT9W+tngP5vG/0uC/8NSQaYBPMM"
    "DfBpHJAFuTQJe4xCOtO1CgsYCXQ5AOdgFqdnIl/MjWax0xMD0WQ0ksSIZDGbxoU53KbFIvqLAV0BOJzKp7NegKNaVB/sjGvJwaiO"
    "ZDS3PIbkMU0PhrV4PKKWxs5EennCwCJjkWCvFoth/KtMeszgtUWSyaiOif5ifiXLPX1aOKyFca3vL2TSxvg4j+tBStPDmBtPnysY"
    "GSw2EgtqcXRGsRFxbIzR2VfMLOcMD99EaNHxb1h0amgyetEOQy2lAzQl/bitrN758iY+lAidJs8kbTSl7Wgnf4JgwmUegcE+yvGQ"
    "5Ww72b1kr1CpOyjdTLYBJxLedyUaRaJnipirlLsL69lHehtqq0jvxvT05yOPWqY/hfZgeq536WLD3LvQDLTi9jiM8fwzBR2sg926"
    "yfU4VL4zsXR9INv0yzLmlvyi7abYc2thTfyeANnSN/50mOCZBc+IlwTPiHcIXrLgJeJlwZeeviJ4RwUfFLyDeKfgHcS7BC9blC8T"
    "7xa8TLwqeMWCV4j3CF4hfpvgnRa8k3iv4J3E1wjeZcG7iPcJ3kV8reDdFrybeL/g3cQHBK9a8CrxdYJXia/nxyqpDh7wh42b1A95"
    "wJYtW7Zs2bJla8vExEGZH+j4IU0Rx3GXeK+zhte6/Zrkv1USRvEzjn9MI5DDex4uVDV+toPCymWxTcaU3xdyHcfa8zACQ9SOkarH"
    "L/6dYpW/Z9OB/t83haqtf72adv7h+r8DDLsNSg=="
)


@pytest.mark.parametrize(
    ("workbook", "given_name", "family_name"),
    [(STRUCK, "Jean-Baptiste", "Lopez-Garcia"), (HIDDEN, "Inès", "Saint-Martin")],
)
def test_row_of_old_workbook_that_is_struck_out_or_hidden_is_asked_about(
    workbook: str, given_name: str, family_name: str
) -> None:
    reading = read_list_file(zlib.decompress(base64.b64decode(workbook)))
    asked = [line for line in reading.lines if line.state is State.ASK]
    assert [(line.given_name, line.family_name) for line in asked] == [(given_name, family_name)]
    assert sum(line.state is State.READY for line in reading.lines) == 8
