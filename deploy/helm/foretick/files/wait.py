import sys
import time
import urllib.request

for url in sys.argv[1:]:
    while True:
        try:
            urllib.request.urlopen(url, timeout=4)
            break
        except OSError as error:
            print(f"waiting for {url}: {error}", flush=True)
            time.sleep(5)
