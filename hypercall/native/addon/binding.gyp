{
  "targets": [
    {
      "target_name": "rumpuser",
      "sources": [
        "addon.cc",
        "slab.cc",
        "clock.cc",
        "watch.cc",
        "tap.cc",
        "tap_io.cc",
        "tap_ring.cc",
        "hostif.cc",
        "file.cc",
        "iov.cc",
        "bio.cc",
        "kick.cc",
        "lock.cc",
        "process.cc"
      ],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS"],
      "cflags": ["-isystem", "<!(node -p \"require('path').resolve(require('node-addon-api').include_dir)\")"],
      "cflags_cc": ["-std=gnu++17", "-O2", "-Wall", "-Wextra", "-Wshadow", "-fvisibility=hidden"]
    }
  ]
}
