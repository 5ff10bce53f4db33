"""What the provider refuses: one sentence, which Terraform shows as its error."""

from emulators.base.errors import EmulatorError


class ProviderError(EmulatorError):
    """The provider cannot do what it was asked, or Azure would refuse it."""
