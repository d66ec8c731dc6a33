import sys

import httpx

httpx.put(sys.argv[1], json={"running": True}, headers={"X-Foretick-Command": "yes"}).raise_for_status()
