"""Rows of .xls that are struck out, hidden, coloured or below a merged cell. Written by xlwt, with invented names."""

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

COLOURED = (
    "eNrtWE1IVFEUPndmnvOTjjM6WmqZCFmZG2nTRieNtEhlctMPQT3zUQ/HN/GcoXSTZS6FoEUUbQQ3baw2/VCL2rUIiloEQaC1SVoF"
    "BS3U1znn3TG198CBEqp3Hvfcc7/73Z93f945vFcv4zOT96pnYZW0gh8WrTAULcMEpnC+EAOstywy83kIk+XJXyXhEG5kkQKPS14E"
    "aQ9pv2fBB3cDz1ADfMB0As5BT8bQ6tZR2nkOqqA5tKAWcAuRKFTxrMpYn2ZdzvoOM5+w3svIBOsW5M6I4/Ay2dO4R57io756rosC"
    "9fuA27xjpBkq4Dmd4otXhc1VoM3U1bRX4VUsVdQGimEK8Lp0aoZmqukZSOC9mYJvVh3A1/wH8mmdh68vLgDx7yvxoAsecsHDLnjE"
    "Bd/gghevxgMTjJe48KMueKkLHnPB4y54mQte7oInXPAKF7zSAb/mCwCMgnWKv9/j+I410sd0aDk93TwP13FewMkP6GIG0fukzDmD"
    "jW7VzOqGArDvbDozh3lKy+pZ7PFA7kwGs95M7gJmB41PQ8ju1E3V7EfWMdXQhxDvUIc17LTtvEp9ZUxNzRXRGHODuoaz6FIH+zQz"
    "iw0OacYIcdo1Q03r2LJLN9QIhTrsGmMrXGMJu4xi1P24NWTH2XHE8EDN3/7yursvlTzJyCiHQ3bQtI0WAiy4RC2wcZRr7FCKuI2s"
    "d7G+zL3WsF3NOoHfHcwbUhXS6BhjzhWubcBxdrO8SW5fZu9Ae/zz4Ye14x+TO9Ge7pwdSUy/TU5CPY7cj+3pGYMm0SRu3iB5lMzn"
    "QjrY96yrfnG2IV9Mzt2SkWEpLECEzThru0SrIyRfOPDFkiu3SwL790u+z4Fvr0ZA8mkNaElsvt+BT1gl75tdElgKSn7AgU/YRt43"
    "uyRgE+8S8RUHvsKrE5F8BfnV+EGw+UUOfMJq8PSALAnYjCfK5gcd+IRtgajkB5Ffi6fO5occ+IRtpchcluhC0n60+srgPi0ehkY/"
    "JQKeeOKJJ578tyJkCEKuktyfIgOdoPyvs4Bp0ftN8s9KL2TwyWKgsB8MzE0YLuj8VIIi8n2JNbbJ/y8kOYKjmzAAfTyPgYLPL4aP"
    "Yvn7rLlh7PddoULHXyxknn94/B+PKnxv"
)

MERGED = (
    "eNrtWE9IFFEY/97szOysreuufwINRISszIt06aKbRlqktgnRH4KazaEGd2didrfSS5Z5DIJORRfBSxezS38oom4dAqMOQRBoESSd"
    "goIO6vS9b96a1hxcKLGY3zLfe+97v99737w/82bn5XRiZvxu3Sz8gnYIwaIbAXWZj+EVKRbigPWuy7PFVMPLDfBPIaLhRKoKPCp/"
    "EeZzyOd7FiSYkp+hBXiP13E4C322ZTSsITopBp3xGNrQMriFnhjUUlSVZE+RrSJ7h5iPye4iz1WybcidYcdgOtnXvFOs4iNSI9XF"
    "gLd7nzRvydMKNfCcr+KL15jHVaDDMfXM+qyol6MwAThv3YZlOHpmBqpxAifgm9sA8LW4U582BP619TNA//eV/rCP/7okA4yAe5IW"
    "+BguyEOytwm7jIKZaZ2HKVQCXSHAPZjF7Zly5iw7GwU4kM4Zzjk9b9pWDv29upM3LQVg95mMPYdpysibeWxvb+G0jUm/XbiAyT7r"
    "E2d3m47uDCDrqG6ZOfR36UMG9tFxXudt2Y6hF1Te5VzWNHCF9ejZtOHkUbDfsIY5p9Ow9IyJyh7T0pHRgeFY+VwZPyTooRJf8VAp"
    "p80WRTsAFZRP0JaL47Exf/vLq950KnmCPCN0kHjHzWY+QuDCJa5AcYxqvEMIo4VmUmwne5la3UT5OrLVuFEwbUrViEzXKHGuUG0T"
    "9rOD8Dq5ZVl+K+bHPh98UD/2IbkN85Pds8PVk2+S49CIPQ+gnv9GoYW1sJs3OB4miykTj6Z3ZGt/e0xpUlzE7ooztQIWoIyyCbJe"
    "iY8OWypJYqy4mlF5pZqROiT4jNSy4Es+fIn4iuB7c6EKfsgnuhDxw4IfIr62VOLRVQm17KOWSR0RfJnU/K6eYBuyuDeuVXwiVUi7"
    "QWgV0kZFX6oPXyV+ueCrxI8JftiHHyZ+heCHiR8XfM2HrxE/Ifga8Sux9JHGPUT3I0G7VAn3+CDjUfQTZRAgQIAAAQIECLAO4L1O"
    "ei/T/EVNEa/rYfFdZwGvxeAzyX+LfrDxl8c/pnvAwtSBoZLWz0ZQWLEttkpN8Xshx2Hs3YFBSFMcgyWvX/y7xZbfz6qF8T+3hUrt"
    "f7GUOP9y/z8AOpEGfQ=="
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


@pytest.mark.parametrize(
    ("workbook", "people"), [(COLOURED, {"Inès Roux"}), (MERGED, {"Inès Roux", "Yanis Girard"})]
)
def test_row_of_old_workbook_in_another_colour_or_beside_a_merged_remark_is_asked_about(
    workbook: str, people: set[str]
) -> None:
    reading = read_list_file(zlib.decompress(base64.b64decode(workbook)))
    assert {line.name for line in reading.lines if line.state is State.ASK} == people
    assert sum(line.state is State.READY for line in reading.lines) == 8 - len(people)
