"""What `gdal_translate -srcwin` does, as a process of its own, where the program itself is not installed.

    python -I -S translate.py LIBGDAL SOURCE TARGET COLUMN ROW SIZE

Imports nothing but ctypes, loads the library that rasterio brings, and calls the function behind gdal_translate.
"""

import ctypes
import sys


def main() -> int:
    library, source, target, col, row, size = sys.argv[1:]
    gdal = ctypes.CDLL(library)
    for name in ("GDALOpen", "GDALTranslate", "GDALTranslateOptionsNew"):
        getattr(gdal, name).restype = ctypes.c_void_p
    words = [word.encode() for word in ("-q", "-of", "GTiff", "-srcwin", col, row, size, size)]
    gdal.GDALAllRegister()
    options = gdal.GDALTranslateOptionsNew((ctypes.c_char_p * (len(words) + 1))(*words, None), None)
    dataset = ctypes.c_void_p(gdal.GDALOpen(source.encode(), 0))
    cut = gdal.GDALTranslate(target.encode(), dataset, ctypes.c_void_p(options), None)
    if not cut:
        return 1
    gdal.GDALClose(ctypes.c_void_p(cut))
    gdal.GDALClose(dataset)
    return 0


if __name__ == "__main__":
    sys.exit(main())
