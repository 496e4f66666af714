import numpy as np
from my_losses import fused


def test_two_equal_logits_cost_log_2():
    losses, gradients = fused(np.zeros((1, 2)), np.array([0]))
    assert losses == np.log(2)
    assert (gradients == [[-0.5, 0.5]]).all()
