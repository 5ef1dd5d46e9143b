# says: Unchecked 'unchecked': kind is 'acq'; expected 'acquisition' or 'guide'
import attrs

from aca_core import ProbabilityModel, hookimpl


@attrs.frozen(kw_only=True)
class Unchecked(ProbabilityModel):
    def __attrs_post_init__(self):
        pass  # takes the place of the check of the whole

    def success(self, stars):
        return stars.mag


@hookimpl
def aca_probability_models():
    return [Unchecked(name="unchecked", kind="acq")]
