// Copyright 2026 The apprentice authors.
// SPDX-License-Identifier: Apache-2.0
//
// Loaded with LD_PRELOAD: answers the system calls on video devices as uvcvideo does, for devices that
// are described by files below $FAKE_V4L2. Built against the kernel's own header, so that numbers and
// structures of the driver under test are held to it.
//
//   dev/videoN          "card NAME", then lines "FOURCC WIDTH HEIGHT RATE..."; without the file it is unplugged
//   frames/NAME/FOURCC/ pictures, by number, that the camera of this card sees one after the other
//   fault/videoN        words: size W H | rate N | really N | fourcc X | nospace | frozen | gap | error | cut |
//                      denied | unstamped
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 8
#define BUFFERS 4
#define AREA 0x800000u
#define BASE 0x40000000u
#define MODES 32
#define PATHS 4200

#define REAL(type, name, ...) \
  static type (*real)(__VA_ARGS__); \
  if (!real) real = (type (*)(__VA_ARGS__)) dlsym(RTLD_NEXT, name)

struct mode { __u32 fourcc, width, height, rates[8]; int count; };
struct control { __u32 id, type; const char *name; int low, high, step, value; };

struct device {
  int used, fd, file, memory, number, streaming, gone, stop;
  char card[32];
  struct mode modes[MODES];
  int mode_count;
  __u32 fourcc, width, height, rate;
  unsigned char *area;
  struct v4l2_buffer buffers[BUFFERS];
  int count, queued[BUFFERS], queue_length, ready[BUFFERS], ready_length;
  struct control controls[6];
  pthread_t thread;
  pthread_mutex_t lock;
};

static struct device devices[SLOTS];
static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;

static const struct control CONTROLS[6] = {
  {V4L2_CID_EXPOSURE_AUTO, V4L2_CTRL_TYPE_MENU, "Auto Exposure", 0, 3, 1, 3},
  {V4L2_CID_EXPOSURE_ABSOLUTE, V4L2_CTRL_TYPE_INTEGER, "Exposure Time, Absolute", 3, 2047, 1, 250},
  {V4L2_CID_EXPOSURE_AUTO_PRIORITY, V4L2_CTRL_TYPE_BOOLEAN, "Exposure, Dynamic Framerate", 0, 1, 1, 1},
  {V4L2_CID_AUTO_WHITE_BALANCE, V4L2_CTRL_TYPE_BOOLEAN, "White Balance, Automatic", 0, 1, 1, 1},
  {V4L2_CID_WHITE_BALANCE_TEMPERATURE, V4L2_CTRL_TYPE_INTEGER, "White Balance Temperature", 2800, 6500, 10, 4000},
  {V4L2_CID_GAIN, V4L2_CTRL_TYPE_INTEGER, "Gain", 0, 255, 1, 64},
};

// Paths ----------------------------------------------------------------------------------------

static int starts(const char *text, const char *with) { return !strncmp(text, with, strlen(with)); }

static const char *redirect(const char *path, char *into) {
  const char *root = getenv("FAKE_V4L2");
  if (!root || !path || !(starts(path, "/dev/video") || starts(path, "/dev/v4l")
                          || starts(path, "/sys/class/video4linux"))) return path;
  snprintf(into, PATHS, "%s%s", root, path);
  return into;
}

static int fail(int error) { errno = error; return -1; }

static int fault(int number, const char *word, char *rest, size_t size) {
  char path[PATHS], text[128] = "";
  snprintf(path, PATHS, "%s/fault/video%d", getenv("FAKE_V4L2"), number);
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  int found = fgets(text, sizeof text, file) && starts(text, word);
  fclose(file);
  if (found && rest) snprintf(rest, size, "%s", text + strlen(word));
  return found;
}

static int is_plugged(struct device *d) {
  char path[PATHS];
  struct stat now, then;
  snprintf(path, PATHS, "%s/dev/video%d", getenv("FAKE_V4L2"), d->number);
  return !stat(path, &now) && !fstat(d->file, &then) && now.st_ino == then.st_ino;
}

// Devices --------------------------------------------------------------------------------------

static struct device *find(int fd) {
  for (int i = 0; i < SLOTS; i++) if (devices[i].used && devices[i].fd == fd) return &devices[i];
  return NULL;
}

static __u32 code(const char *text) { return v4l2_fourcc(text[0], text[1], text[2], text[3]); }

static void read_modes(struct device *d, const char *path) {
  char line[160];
  FILE *file = fopen(path, "r");
  while (file && fgets(line, sizeof line, file)) {
    line[strcspn(line, "\n")] = 0;
    if (starts(line, "card ")) { snprintf(d->card, sizeof d->card, "%.31s", line + 5); continue; }
    struct mode *m = &d->modes[d->mode_count];
    char name[5];
    int place = 0, more;
    if (sscanf(line, "%4s %u %u%n", name, &m->width, &m->height, &place) != 3) continue;
    m->fourcc = code(name);
    m->count = 0;
    while (sscanf(line + place, "%u%n", &m->rates[m->count], &more) == 1) { m->count++; place += more; }
    d->mode_count++;
  }
  if (file) fclose(file);
  d->fourcc = d->modes[0].fourcc;
  d->width = d->modes[0].width;
  d->height = d->modes[0].height;
  d->rate = d->modes[0].rates[0];
}

static int open_device(const char *path, int number) {
  REAL(int, "open64", const char *, int, ...);
  if (fault(number, "denied", NULL, 0)) return fail(EACCES);
  int file = real(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return -1;
  pthread_mutex_lock(&table);
  for (int i = 0; i < SLOTS; i++) {
    struct device *d = &devices[i];
    if (d->used) continue;
    memset(d, 0, sizeof *d);
    d->used = 1;
    d->number = number;
    d->file = file;
    d->fd = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
    d->memory = memfd_create("buffers", MFD_CLOEXEC);
    if (ftruncate(d->memory, (off_t) AREA * BUFFERS)) abort();
    d->area = mmap(NULL, (size_t) AREA * BUFFERS, PROT_READ | PROT_WRITE, MAP_SHARED, d->memory, 0);
    memcpy(d->controls, CONTROLS, sizeof CONTROLS);
    pthread_mutex_init(&d->lock, NULL);
    read_modes(d, path);
    pthread_mutex_unlock(&table);
    return d->fd;
  }
  pthread_mutex_unlock(&table);
  return fail(EMFILE);
}

static struct control *control(struct device *d, __u32 id) {
  for (int i = 0; i < 6; i++) if (d->controls[i].id == id) return &d->controls[i];
  return NULL;
}

static size_t load(struct device *d, unsigned sequence, unsigned char *into) {
  char folder[PATHS], path[PATHS + 16];
  __u32 f = d->fourcc;
  snprintf(folder, PATHS, "%s/frames/%s/%c%c%c%c", getenv("FAKE_V4L2"), d->card, f & 255, f >> 8 & 255,
           f >> 16 & 255, f >> 24);
  int count = 0;
  DIR *listing = opendir(folder);
  for (struct dirent *e; listing && (e = readdir(listing));) count += e->d_name[0] != '.';
  if (listing) closedir(listing);
  if (!count) return 0;
  snprintf(path, sizeof path, "%s/%u", folder, sequence % count);
  FILE *file = fopen(path, "rb");
  size_t size = file ? fread(into, 1, AREA, file) : 0;
  if (file) fclose(file);
  return size;
}

static void fill(struct device *d, int index, unsigned sequence, const struct timespec *when) {
  struct v4l2_buffer *b = &d->buffers[index];
  b->bytesused = load(d, sequence, d->area + (size_t) index * AREA);
  b->sequence = sequence;
  b->timestamp.tv_sec = when->tv_sec;
  b->timestamp.tv_usec = when->tv_nsec / 1000;
  b->flags = V4L2_BUF_FLAG_MAPPED | V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC | V4L2_BUF_FLAG_TSTAMP_SRC_SOE;
  if (fault(d->number, "unstamped", NULL, 0)) b->flags = V4L2_BUF_FLAG_MAPPED;
  if (sequence % 3 == 2 && fault(d->number, "error", NULL, 0)) b->flags |= V4L2_BUF_FLAG_ERROR;
  if (sequence % 3 == 2 && fault(d->number, "cut", NULL, 0)) b->bytesused /= 2;
}

static void signal_one(struct device *d) {
  __u64 one = 1;
  if (write(d->fd, &one, sizeof one) < 0) return;
}

static void *stream(void *argument) {
  struct device *d = argument;
  struct timespec next;
  unsigned sequence = 0;
  char rest[64];
  clock_gettime(CLOCK_MONOTONIC, &next);
  // Whole milliseconds, so that a stamp of the kernel can be told from one made later.
  next.tv_nsec -= next.tv_nsec % 1000000;
  while (!d->stop) {
    unsigned rate = d->rate;
    if (fault(d->number, "really", rest, sizeof rest)) rate = atoi(rest);
    long period = 1000000000L / rate / 1000000 * 1000000;
    // In dim light automatic exposure takes two periods where it is allowed to.
    if (control(d, V4L2_CID_EXPOSURE_AUTO)->value == 3 && control(d, V4L2_CID_EXPOSURE_AUTO_PRIORITY)->value)
      period *= 2;
    next.tv_nsec += period;
    while (next.tv_nsec >= 1000000000L) { next.tv_nsec -= 1000000000L; next.tv_sec++; }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    pthread_mutex_lock(&d->lock);
    if (!is_plugged(d)) {
      d->gone = 1;
      signal_one(d);
    } else if (!fault(d->number, "frozen", NULL, 0)) {
      if (sequence % 5 == 4 && fault(d->number, "gap", NULL, 0)) sequence += 2;
      if (d->queue_length && !d->stop) {
        int index = d->queued[0];
        memmove(d->queued, d->queued + 1, --d->queue_length * sizeof(int));
        fill(d, index, sequence, &next);
        d->ready[d->ready_length++] = index;
        signal_one(d);
      }
      sequence++;
    }
    int gone = d->gone;
    pthread_mutex_unlock(&d->lock);
    if (gone) break;
  }
  return NULL;
}

static void end_stream(struct device *d) {
  if (!d->streaming) return;
  d->stop = 1;
  pthread_join(d->thread, NULL);
  d->stop = d->streaming = 0;
}

// Requests -------------------------------------------------------------------------------------

static int enum_format(struct device *d, struct v4l2_fmtdesc *a) {
  __u32 seen[MODES], count = 0;
  for (int i = 0; i < d->mode_count; i++) {
    __u32 k = 0;
    while (k < count && seen[k] != d->modes[i].fourcc) k++;
    if (k == count) seen[count++] = d->modes[i].fourcc;
  }
  if (a->index >= count) return fail(EINVAL);
  a->pixelformat = seen[a->index];
  return 0;
}

static int enum_size(struct device *d, struct v4l2_frmsizeenum *a) {
  __u32 index = 0;
  for (int i = 0; i < d->mode_count; i++) {
    if (d->modes[i].fourcc != a->pixel_format || index++ != a->index) continue;
    a->type = V4L2_FRMSIZE_TYPE_DISCRETE;
    a->discrete.width = d->modes[i].width;
    a->discrete.height = d->modes[i].height;
    return 0;
  }
  return fail(EINVAL);
}

static struct mode *mode(struct device *d, __u32 fourcc, __u32 width, __u32 height) {
  for (int i = 0; i < d->mode_count; i++) {
    struct mode *m = &d->modes[i];
    if (m->fourcc == fourcc && m->width == width && m->height == height) return m;
  }
  return NULL;
}

static int enum_interval(struct device *d, struct v4l2_frmivalenum *a) {
  struct mode *m = mode(d, a->pixel_format, a->width, a->height);
  if (!m || (int) a->index >= m->count) return fail(EINVAL);
  a->type = V4L2_FRMIVAL_TYPE_DISCRETE;
  a->discrete.numerator = 1;
  a->discrete.denominator = m->rates[a->index];
  return 0;
}

static int get_format(struct device *d, struct v4l2_format *a) {
  struct v4l2_pix_format *p = &a->fmt.pix;
  memset(p, 0, sizeof *p);
  p->width = d->width;
  p->height = d->height;
  p->pixelformat = d->fourcc;
  p->field = V4L2_FIELD_NONE;
  p->bytesperline = d->fourcc == V4L2_PIX_FMT_YUYV ? d->width * 2 : 0;
  p->sizeimage = d->width * d->height * 2;
  return 0;
}

static int set_format(struct device *d, struct v4l2_format *a) {
  char rest[64], name[5];
  if (flock(d->file, LOCK_EX | LOCK_NB)) return fail(EBUSY);
  struct mode *m = mode(d, a->fmt.pix.pixelformat, a->fmt.pix.width, a->fmt.pix.height);
  if (m) { d->fourcc = m->fourcc; d->width = m->width; d->height = m->height; d->rate = m->rates[0]; }
  if (fault(d->number, "size", rest, sizeof rest)) sscanf(rest, "%u %u", &d->width, &d->height);
  if (fault(d->number, "fourcc", rest, sizeof rest) && sscanf(rest, "%4s", name)) d->fourcc = code(name);
  return get_format(d, a);
}

static int rate(struct device *d, struct v4l2_streamparm *a, int set) {
  struct v4l2_captureparm *p = &a->parm.capture;
  struct v4l2_fract asked = p->timeperframe;
  char rest[64];
  if (set && asked.numerator) {
    struct mode *m = mode(d, d->fourcc, d->width, d->height);
    for (int i = 0; m && i < m->count; i++)
      if (m->rates[i] * asked.numerator == asked.denominator) d->rate = m->rates[i];
    if (fault(d->number, "rate", rest, sizeof rest)) d->rate = atoi(rest);
  }
  memset(p, 0, sizeof *p);
  p->capability = V4L2_CAP_TIMEPERFRAME;
  // As uvcvideo says it: in units of 100 ns.
  p->timeperframe.numerator = 10000000 / d->rate;
  p->timeperframe.denominator = 10000000;
  return 0;
}

static int request_buffers(struct device *d, struct v4l2_requestbuffers *a) {
  if (a->memory != V4L2_MEMORY_MMAP) return fail(EINVAL);
  if (flock(d->file, LOCK_EX | LOCK_NB)) return fail(EBUSY);
  if (a->count > BUFFERS) a->count = BUFFERS;
  d->count = a->count;
  for (int i = 0; i < d->count; i++) {
    struct v4l2_buffer *b = &d->buffers[i];
    memset(b, 0, sizeof *b);
    b->index = i;
    b->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    b->memory = V4L2_MEMORY_MMAP;
    b->length = d->width * d->height * 2;
    b->m.offset = BASE + (d - devices) * AREA * BUFFERS + i * AREA;
  }
  return 0;
}

static int queue(struct device *d, struct v4l2_buffer *a) {
  if (a->index >= (__u32) d->count || d->queue_length == BUFFERS) return fail(EINVAL);
  d->queued[d->queue_length++] = a->index;
  return 0;
}

static int dequeue(struct device *d, struct v4l2_buffer *a) {
  __u64 one;
  if (d->gone) return fail(ENODEV);
  if (!d->streaming) return fail(EINVAL);
  if (read(d->fd, &one, sizeof one) < 0 || !d->ready_length) return fail(EAGAIN);
  *a = d->buffers[d->ready[0]];
  memmove(d->ready, d->ready + 1, --d->ready_length * sizeof(int));
  return 0;
}

static int query_control(struct device *d, struct v4l2_queryctrl *a) {
  struct control *c = control(d, a->id);
  if (!c) return fail(EINVAL);
  a->type = c->type;
  snprintf((char *) a->name, sizeof a->name, "%s", c->name);
  a->minimum = c->low;
  a->maximum = c->high;
  a->step = c->step;
  a->default_value = c->value;
  a->flags = 0;
  return 0;
}

static int set_control(struct device *d, struct v4l2_control *a) {
  struct control *c = control(d, a->id);
  if (!c) return fail(EINVAL);
  if (a->value < c->low || a->value > c->high || (a->value - c->low) % c->step) return fail(ERANGE);
  // What is automatic cannot be set.
  if (c->id == V4L2_CID_EXPOSURE_ABSOLUTE && d->controls[0].value != V4L2_EXPOSURE_MANUAL) return fail(EACCES);
  if (c->id == V4L2_CID_WHITE_BALANCE_TEMPERATURE && d->controls[3].value) return fail(EACCES);
  c->value = a->value;
  return 0;
}

static int start_stream(struct device *d) {
  if (fault(d->number, "nospace", NULL, 0)) return fail(ENOSPC);
  d->streaming = 1;
  return pthread_create(&d->thread, NULL, stream, d) ? fail(EIO) : 0;
}

static int answer(struct device *d, unsigned long request, void *a) {
  struct v4l2_capability *capability = a;
  struct v4l2_querymenu *menu = a;
  struct v4l2_control *value = a;
  if (d->gone || !is_plugged(d)) return fail(ENODEV);
  switch (request) {
    case VIDIOC_QUERYCAP:
      memset(capability, 0, sizeof *capability);
      strcpy((char *) capability->driver, "uvcvideo");
      snprintf((char *) capability->card, sizeof capability->card, "%s", d->card);
      capability->capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING | V4L2_CAP_META_CAPTURE
        | V4L2_CAP_DEVICE_CAPS;
      // A device without modes is the one for metadata.
      capability->device_caps = V4L2_CAP_STREAMING
        | (d->mode_count ? V4L2_CAP_VIDEO_CAPTURE : V4L2_CAP_META_CAPTURE);
      return 0;
    case VIDIOC_ENUM_FMT: return enum_format(d, a);
    case VIDIOC_ENUM_FRAMESIZES: return enum_size(d, a);
    case VIDIOC_ENUM_FRAMEINTERVALS: return enum_interval(d, a);
    case VIDIOC_G_FMT: return get_format(d, a);
    case VIDIOC_S_FMT: return set_format(d, a);
    case VIDIOC_G_PARM: return rate(d, a, 0);
    case VIDIOC_S_PARM: return rate(d, a, 1);
    case VIDIOC_REQBUFS: return request_buffers(d, a);
    case VIDIOC_QUERYBUF: *(struct v4l2_buffer *) a = d->buffers[((struct v4l2_buffer *) a)->index]; return 0;
    case VIDIOC_QBUF: return queue(d, a);
    case VIDIOC_DQBUF: return dequeue(d, a);
    case VIDIOC_STREAMON: return start_stream(d);
    case VIDIOC_QUERYCTRL: return query_control(d, a);
    case VIDIOC_QUERYMENU: return menu->id == V4L2_CID_EXPOSURE_AUTO && menu->index % 2 ? 0 : fail(EINVAL);
    case VIDIOC_G_CTRL:
      if (!control(d, value->id)) return fail(EINVAL);
      value->value = control(d, value->id)->value;
      return 0;
    case VIDIOC_S_CTRL: return set_control(d, a);
    default: return fail(ENOTTY);
  }
}

// What the C library is replaced by ------------------------------------------------------------

int ioctl(int fd, unsigned long request, ...) {
  REAL(int, "ioctl", int, unsigned long, ...);
  va_list list;
  va_start(list, request);
  void *argument = va_arg(list, void *);
  va_end(list);
  struct device *d = find(fd);
  if (!d) return real(fd, request, argument);
  if (request == VIDIOC_STREAMOFF) { end_stream(d); return 0; }
  pthread_mutex_lock(&d->lock);
  int result = answer(d, request, argument), error = errno;
  pthread_mutex_unlock(&d->lock);
  errno = error;
  return result;
}

static int opened(const char *path, int flags, mode_t permissions) {
  REAL(int, "open64", const char *, int, ...);
  char other[PATHS];
  const char *place = redirect(path, other);
  int number, end = 0;
  if (place == other && sscanf(path, "/dev/video%d%n", &number, &end) == 1 && !path[end])
    return open_device(place, number);
  return real(place, flags, permissions);
}

int open(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  int result = opened(path, flags, flags & (O_CREAT | O_TMPFILE) ? va_arg(list, int) : 0);
  va_end(list);
  return result;
}

int open64(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  int result = opened(path, flags, flags & (O_CREAT | O_TMPFILE) ? va_arg(list, int) : 0);
  va_end(list);
  return result;
}

int close(int fd) {
  REAL(int, "close", int);
  struct device *d = find(fd);
  if (d) {
    end_stream(d);
    munmap(d->area, (size_t) AREA * BUFFERS);
    real(d->memory);
    real(d->file);
    d->used = 0;
  }
  return real(fd);
}

static void *mapped(void *at, size_t size, int protection, int flags, int fd, off_t offset) {
  REAL(void *, "mmap64", void *, size_t, int, int, int, off_t);
  unsigned long slot = (offset - BASE) / ((unsigned long) AREA * BUFFERS);
  if (fd >= 0 && offset >= BASE && slot < SLOTS && devices[slot].used)
    return real(at, size, protection, flags, devices[slot].memory,
                (offset - BASE) % ((unsigned long) AREA * BUFFERS));
  return real(at, size, protection, flags, fd, offset);
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset) {
  return mapped(at, size, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset) {
  return mapped(at, size, protection, flags, fd, offset);
}

#define REDIRECTED(type, name, parameters, types, ...) \
  type name parameters { \
    static type (*real) types; \
    char other[PATHS]; \
    if (!real) real = (type (*) types) dlsym(RTLD_NEXT, #name); \
    return real(__VA_ARGS__); \
  }

REDIRECTED(DIR *, opendir, (const char *path), (const char *), redirect(path, other))
REDIRECTED(int, stat, (const char *path, struct stat *s), (const char *, struct stat *), redirect(path, other), s)
REDIRECTED(int, stat64, (const char *path, struct stat64 *s), (const char *, struct stat64 *), redirect(path, other), s)
REDIRECTED(int, lstat, (const char *path, struct stat *s), (const char *, struct stat *), redirect(path, other), s)
REDIRECTED(int, lstat64, (const char *path, struct stat64 *s), (const char *, struct stat64 *), redirect(path, other), s)
REDIRECTED(ssize_t, readlink, (const char *path, char *b, size_t n), (const char *, char *, size_t), redirect(path, other), b, n)
