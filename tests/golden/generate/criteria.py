"""Prints the constants of tests/axioms/criteria.rs: scikit-image's PSNR and SSIM, scipy's logsumexp, of the same formulas."""

import numpy as np
import scipy
import skimage
from scipy.special import logsumexp
from skimage.metrics import structural_similarity

H, W = 18, 23
i = np.arange(3 * H * W)
x = (0.5 + 0.45 * np.sin(i * 0.37)).astype(np.float32).astype(np.float64).reshape(3, H, W)
noise = (0.5 + 0.4 * np.cos(i * 0.61)).astype(np.float32).astype(np.float64).reshape(3, H, W)
p = np.arange(H * W)
part = ((p % W) * 3 + (p // W) * 5) % 11 < 2
part &= (p // W) < 9
part = part.reshape(H, W)

if __name__ == "__main__":
    print("scikit-image", skimage.__version__, "scipy", scipy.__version__, "numpy", np.__version__)
    for name, mask in (("all", np.ones((H, W), bool)), ("part", part)):
        y = np.where(mask, noise, x)
        psnr = 10 * np.log10(1 / np.mean((x - y)[:, mask] ** 2))
        if name == "all":
            assert abs(psnr - skimage.metrics.peak_signal_noise_ratio(x, y, data_range=1)) < 1e-12
        mean, full = structural_similarity(x, y, data_range=1, channel_axis=0, full=True)
        # The map's value at a pixel is that of the window around it; windows inside the picture have their centre 3 from the border.
        touched = np.array([[mask[r : r + 7, c : c + 7].any() for c in range(W - 6)] for r in range(H - 6)])
        ssim = full[:, 3:-3, 3:-3][:, touched].mean()
        if name == "all":
            assert abs(ssim - mean) < 1e-12
        print(name, mask.sum(), "psnr", repr(float(psnr)), "ssim", repr(float(ssim)))
    print("energy", repr(float(-logsumexp([1.25, -3.5, 7.0, 6.75]))))
